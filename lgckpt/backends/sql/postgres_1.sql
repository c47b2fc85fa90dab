-- lgckpt, schema version 1. Names have a prefix of their own, so that the tables can lie in
-- one schema with LangGraph's. Thread ids may be of any length: every key leads with a hash
-- of theirs instead. Identifiers compare byte by byte (COLLATE "C"), whatever the database's
-- locale. What is compressed already is stored EXTERNAL, so that it is not tried again.
CREATE TABLE {schema}.lgckpt_threads (
    tid uuid PRIMARY KEY,
    expires_at timestamptz,
    thread_id text COLLATE "C" NOT NULL
);

CREATE INDEX lgckpt_threads_by_expiry ON {schema}.lgckpt_threads (expires_at)
WHERE expires_at IS NOT NULL;

CREATE TABLE {schema}.lgckpt_checkpoints (
    tid uuid NOT NULL,
    flags integer NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    parent_id text COLLATE "C",
    run_id text COLLATE "C",
    etag bytea NOT NULL,
    metadata bytea NOT NULL,
    state bytea NOT NULL,
    refs bytea NOT NULL,
    PRIMARY KEY (tid, checkpoint_ns, checkpoint_id)
);

ALTER TABLE {schema}.lgckpt_checkpoints
    ALTER COLUMN metadata SET STORAGE EXTERNAL,
    ALTER COLUMN state SET STORAGE EXTERNAL,
    ALTER COLUMN refs SET STORAGE EXTERNAL;

CREATE INDEX lgckpt_checkpoints_of_thread
ON {schema}.lgckpt_checkpoints (tid, checkpoint_id, checkpoint_ns) WHERE flags & 1 = 0;

CREATE INDEX lgckpt_checkpoints_by_id
ON {schema}.lgckpt_checkpoints (checkpoint_id, tid, checkpoint_ns) WHERE flags & 1 = 0;

CREATE INDEX lgckpt_checkpoints_by_run
ON {schema}.lgckpt_checkpoints (left(run_id, 64)) WHERE run_id IS NOT NULL;

CREATE TABLE {schema}.lgckpt_writes (
    tid uuid NOT NULL,
    idx integer NOT NULL,
    checkpoint_ns text COLLATE "C" NOT NULL,
    checkpoint_id text COLLATE "C" NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    task_path text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    tag text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    refs bytea NOT NULL,
    PRIMARY KEY (tid, checkpoint_ns, checkpoint_id, task_id, idx)
);

ALTER TABLE {schema}.lgckpt_writes ALTER COLUMN value SET STORAGE EXTERNAL;

CREATE TABLE {schema}.lgckpt_chunks (
    tid uuid NOT NULL,
    hash bytea NOT NULL,
    frame bytea NOT NULL,
    PRIMARY KEY (tid, hash)
);

ALTER TABLE {schema}.lgckpt_chunks ALTER COLUMN frame SET STORAGE EXTERNAL;

-- Stores a checkpoint, or pending writes, with their chunks, once everything they refer to is
-- known to be there. The thread's advisory lock is taken in a statement of its own: each later
-- statement then has a snapshot that is younger than the lock, which is what keeps a sweep of
-- unused chunks (it holds the lock exclusively) from being missed. That needs READ COMMITTED.
-- Gives 0: stored; 1: a claim does not hold; 2: the lock is busy; 3: the thread has expired.
CREATE FUNCTION {schema}.lgckpt_store(
    p_lock bigint,
    p_wait boolean,
    p_tid uuid,
    p_thread_id text,
    p_ttl double precision,
    p_ns text,
    p_id text,
    p_claimed_id text,
    p_claimed_etag bytea,
    p_claims bytea[],
    p_hashes bytea[],
    p_frames bytea[],
    p_parent_id text,
    p_run_id text,
    p_flags integer,
    p_etag bytea,
    p_metadata bytea,
    p_state bytea,
    p_refs bytea,
    p_upsert boolean,
    p_task_id text,
    p_task_path text,
    p_idxs integer[],
    p_channels text[],
    p_tags text[],
    p_values bytea[],
    p_value_refs bytea[]
) RETURNS integer LANGUAGE plpgsql VOLATILE AS $lgckpt$
DECLARE
    v_known boolean;
    v_expires_at timestamptz;
    v_until timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'lgckpt stores at transaction isolation "read committed", not "%"',
            current_setting('transaction_isolation')
            USING ERRCODE = 'feature_not_supported',
            HINT = 'Set default_transaction_isolation for the role that lgckpt connects as.';
    END IF;
    IF p_wait THEN
        PERFORM pg_catalog.pg_advisory_xact_lock_shared(p_lock);
    ELSIF NOT pg_catalog.pg_try_advisory_xact_lock_shared(p_lock) THEN
        RETURN 2;
    END IF;
    SELECT t.expires_at INTO v_expires_at FROM {schema}.lgckpt_threads AS t WHERE t.tid = p_tid;
    v_known := FOUND;
    IF v_expires_at <= pg_catalog.clock_timestamp() THEN
        RETURN 3;
    END IF;
    IF p_claimed_id IS NOT NULL THEN
        PERFORM 1 FROM {schema}.lgckpt_checkpoints AS c
        WHERE c.tid = p_tid AND c.checkpoint_ns = p_ns AND c.checkpoint_id = p_claimed_id
            AND c.etag = p_claimed_etag;
        IF NOT FOUND THEN
            RETURN 1;
        END IF;
    END IF;
    IF p_claims IS NOT NULL AND cardinality(p_claims) > (
        SELECT count(*) FROM {schema}.lgckpt_chunks AS k
        WHERE k.tid = p_tid AND k.hash = ANY (p_claims)
    ) THEN
        RETURN 1;
    END IF;
    IF p_ttl IS NOT NULL THEN
        v_until := pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => p_ttl);
    END IF;
    IF NOT v_known THEN
        INSERT INTO {schema}.lgckpt_threads (tid, thread_id, expires_at)
        VALUES (p_tid, p_thread_id, v_until) ON CONFLICT DO NOTHING;
    ELSIF v_until IS NULL AND v_expires_at IS NOT NULL OR v_until IS NOT NULL AND (
        v_expires_at IS NULL OR v_until - v_expires_at > pg_catalog.make_interval(secs => p_ttl / 20)
    ) THEN
        UPDATE {schema}.lgckpt_threads AS t SET expires_at = v_until WHERE t.tid = p_tid;
    END IF;
    IF p_hashes IS NOT NULL THEN
        INSERT INTO {schema}.lgckpt_chunks (tid, hash, frame)
        SELECT p_tid, u.h, u.f FROM unnest(p_hashes, p_frames) AS u (h, f)
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_state IS NOT NULL THEN
        INSERT INTO {schema}.lgckpt_checkpoints AS c
            (tid, flags, checkpoint_ns, checkpoint_id, parent_id, run_id, etag, metadata, state, refs)
        VALUES (p_tid, p_flags, p_ns, p_id, p_parent_id, p_run_id, p_etag, p_metadata, p_state, p_refs)
        ON CONFLICT (tid, checkpoint_ns, checkpoint_id) DO UPDATE SET
            flags = excluded.flags, parent_id = excluded.parent_id, run_id = excluded.run_id,
            etag = excluded.etag, metadata = excluded.metadata, state = excluded.state,
            refs = excluded.refs;
    END IF;
    IF p_idxs IS NULL THEN
        RETURN 0;
    END IF;
    IF p_upsert THEN
        INSERT INTO {schema}.lgckpt_writes AS w
            (tid, idx, checkpoint_ns, checkpoint_id, task_id, task_path, channel, tag, value, refs)
        SELECT p_tid, u.i, p_ns, p_id, p_task_id, p_task_path, u.c, u.t, u.v, u.r
        FROM unnest(p_idxs, p_channels, p_tags, p_values, p_value_refs) AS u (i, c, t, v, r)
        ON CONFLICT (tid, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET
            task_path = excluded.task_path, channel = excluded.channel, tag = excluded.tag,
            value = excluded.value, refs = excluded.refs;
    ELSE
        INSERT INTO {schema}.lgckpt_writes
            (tid, idx, checkpoint_ns, checkpoint_id, task_id, task_path, channel, tag, value, refs)
        SELECT p_tid, u.i, p_ns, p_id, p_task_id, p_task_path, u.c, u.t, u.v, u.r
        FROM unnest(p_idxs, p_channels, p_tags, p_values, p_value_refs) AS u (i, c, t, v, r)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN 0;
END
$lgckpt$;

-- Deletes a thread, or only one that has expired; false if there was nothing to delete, null
-- if the lock is busy and was not to be waited for.
CREATE FUNCTION {schema}.lgckpt_drop(p_lock bigint, p_wait boolean, p_tid uuid, p_expired boolean)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $lgckpt$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'lgckpt deletes at transaction isolation "read committed", not "%"',
            current_setting('transaction_isolation')
            USING ERRCODE = 'feature_not_supported',
            HINT = 'Set default_transaction_isolation for the role that lgckpt connects as.';
    END IF;
    IF p_wait THEN
        PERFORM pg_catalog.pg_advisory_xact_lock(p_lock);
    ELSIF NOT pg_catalog.pg_try_advisory_xact_lock(p_lock) THEN
        RETURN NULL;
    END IF;
    DELETE FROM {schema}.lgckpt_threads AS t
    WHERE t.tid = p_tid AND (NOT p_expired OR t.expires_at <= pg_catalog.clock_timestamp());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM {schema}.lgckpt_writes AS w WHERE w.tid = p_tid;
    DELETE FROM {schema}.lgckpt_checkpoints AS c WHERE c.tid = p_tid;
    DELETE FROM {schema}.lgckpt_chunks AS k WHERE k.tid = p_tid;
    RETURN true;
END
$lgckpt$;
