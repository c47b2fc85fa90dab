-- lgckpt, schema version 2. Names have a prefix of their own, so that the tables can
-- lie in one file with LangGraph's. Thread ids are long and stand in every key, so they
-- are stored once and numbered; numbers are never used again (AUTOINCREMENT).
CREATE TABLE IF NOT EXISTS lgckpt_meta (
    key TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS lgckpt_threads (
    tid INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL UNIQUE,
    expires_at INTEGER
);

-- Milliseconds since 1970; none where a thread lives for ever. Without such threads the index
-- is empty, which is how every statement finds out at no cost.
CREATE INDEX IF NOT EXISTS lgckpt_threads_by_expiry ON lgckpt_threads (expires_at)
WHERE expires_at IS NOT NULL;

-- Threads that expired and have no name any more, whose rows are still to be deleted.
CREATE TABLE IF NOT EXISTS lgckpt_gone (
    tid INTEGER PRIMARY KEY
);

-- A rowid table: rows of WITHOUT ROWID tables spill to overflow pages four times sooner.
CREATE TABLE IF NOT EXISTS lgckpt_checkpoints (
    tid INTEGER NOT NULL,
    checkpoint_ns TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    parent_id TEXT,
    run_id TEXT,
    flags INTEGER NOT NULL,
    etag BLOB NOT NULL,
    metadata BLOB NOT NULL,
    state BLOB NOT NULL,
    refs BLOB NOT NULL,
    PRIMARY KEY (tid, checkpoint_ns, checkpoint_id)
);

CREATE INDEX IF NOT EXISTS lgckpt_checkpoints_by_id ON lgckpt_checkpoints (checkpoint_id);

CREATE INDEX IF NOT EXISTS lgckpt_checkpoints_by_run ON lgckpt_checkpoints (run_id)
WHERE run_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS lgckpt_writes (
    tid INTEGER NOT NULL,
    checkpoint_ns TEXT NOT NULL,
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    task_path TEXT NOT NULL,
    channel TEXT NOT NULL,
    tag TEXT NOT NULL,
    value BLOB NOT NULL,
    refs BLOB NOT NULL,
    PRIMARY KEY (tid, checkpoint_ns, checkpoint_id, task_id, idx)
);

CREATE TABLE IF NOT EXISTS lgckpt_chunks (
    tid INTEGER NOT NULL,
    hash BLOB NOT NULL,
    frame BLOB NOT NULL,
    PRIMARY KEY (tid, hash)
);
