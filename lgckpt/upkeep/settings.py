"""Settings of a server that put data at risk, from what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lgckpt.upkeep.findings import Finding, Severity

Facts = Mapping[str, str]

SPARE_CONNECTIONS = 3
"""Connections that others need beside one pool: a person at a prompt, a backup, monitoring."""


def examine(facts: Facts) -> list[Finding]:
    """What is wrong with how a server is set up, and with the version of the schema."""
    checks = _CHECKS.get(facts["backend"], ())
    found = [one for check in checks for one in check(facts)]
    return [*_schema(facts), *found]


def _setting(severity: Severity, what: str, mend: str) -> Finding:
    return Finding(severity, "server-setting", what, mend)


def _schema(facts: Facts) -> Iterator[Finding]:
    if "schema" not in facts or not facts["schema"].isdecimal():
        return
    there, known = int(facts["schema"]), int(facts["schema_known"])
    if there < known:
        yield Finding(
            "note", "schema-version",
            f"the schema has version {there}, this release makes {known}",
            "the next write brings it up to date; `lgckpt ddl` prints what it should be",
        )  # fmt: skip
    if there > known:
        yield Finding(
            "note", "schema-version",
            f"the schema has version {there}, which a newer release made; this one knows {known} "
            "and can work with it",
            "update lgckpt here too",
        )  # fmt: skip


def _sqlite(facts: Facts) -> Iterator[Finding]:
    if facts.get("journal_mode") not in (None, "wal", "memory"):
        yield _setting(
            "warning",
            f"journal_mode is {facts['journal_mode']}: readers wait for writers",
            "PRAGMA journal_mode = WAL, with no other process on the file",
        )
    if facts.get("synchronous", "").upper() in ("OFF", "0"):
        yield _setting(
            "error",
            "synchronous is OFF: a power cut may destroy the file",
            'open the saver with synchronous="FULL"',
        )
    elif facts.get("synchronous", "").upper() in ("NORMAL", "1"):
        yield _setting(
            "note",
            "synchronous is NORMAL: a power cut may lose the last checkpoints",
            'open the saver with synchronous="FULL"',
        )
    if facts.get("quick_check", "ok") != "ok":
        yield Finding(
            "error", "damaged-file",
            f"SQLite finds the file damaged: {facts['quick_check']}",
            "copy what is readable to a new file: sqlite3 OLD .recover | sqlite3 NEW; "
            "restore a backup if there is one",
        )  # fmt: skip


_OFF = {
    "fsync": ("error", "a crash of the server's machine may destroy the database"),
    "full_page_writes": ("error", "a power cut in the middle of a write may destroy a page"),
    "synchronous_commit": ("warning", "the last commits are lost when the server crashes"),
}  # fmt: skip


def _postgres(facts: Facts) -> Iterator[Finding]:
    for name, (severity, why) in _OFF.items():
        if facts.get(name) == "off":
            yield _setting(
                "error" if severity == "error" else "warning",
                f"{name} is off: {why}",
                f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf()",
            )
    if facts.get("in_recovery") == "on":
        yield _setting(
            "error",
            "the server is a standby: it takes no writes",
            "name the primary in the URL, or several hosts and target_session_attrs=read-write",
        )
    yield from _connections(facts)


def _connections(facts: Facts) -> Iterator[Finding]:
    try:
        most = int(facts["max_connections"]) - int(facts["superuser_reserved_connections"])
        pool = int(facts["pool_size"])
    except (KeyError, ValueError):
        return
    if most < pool + SPARE_CONNECTIONS:
        yield _setting(
            "warning",
            f"the server takes {most} connections and one pool may take {pool} of them: a second "
            "process finds none left",
            "raise max_connections, lower the saver's max_size, or put PgBouncer in between",
        )


def _redis(facts: Facts) -> Iterator[Finding]:
    appends = facts.get("appendonly", facts.get("aof_enabled"))
    logs = appends is not None and ("yes" in appends or "1" in appends)
    saves = facts.get("save")
    if appends is None:
        yield _setting(
            "note",
            "the server does not say whether it keeps data on disk",
            "look at appendonly and save there, or let this user run INFO",
        )
    elif not logs and saves == "":
        yield _setting(
            "error",
            "nothing is kept on disk: neither appendonly nor save is set",
            "CONFIG SET appendonly yes, and the same in the server's configuration",
        )
    elif not logs:
        yield _setting(
            "warning",
            "appendonly is off: a crash loses what was stored since the last snapshot"
            + (f" (save {saves})" if saves else ""),
            "CONFIG SET appendonly yes, and the same in the server's configuration",
        )
    if logs and facts.get("appendfsync") == "no":
        yield _setting(
            "warning",
            "appendfsync is no: the system decides when the log reaches the disk",
            "CONFIG SET appendfsync everysec",
        )
    for name in ("aof_last_write_status", "rdb_last_bgsave_status"):
        if "err" in facts.get(name, ""):
            yield _setting(
                "error",
                f"{name} is err: the server cannot write to its disk",
                "look into the server's log; most often the disk is full",
            )
    yield from _eviction(facts)
    if "slave" in facts.get("role", ""):
        yield _setting(
            "error",
            "the server is a replica: it takes no writes",
            "name the master in the URL, or use redis+sentinel:// or redis+cluster://",
        )


def _eviction(facts: Facts) -> Iterator[Finding]:
    policies = facts.get("maxmemory-policy", "noeviction").split(", ")
    limited = any(limit != "0" for limit in facts.get("maxmemory", "0").split(", "))
    mortal = facts.get("ttl") == "true"
    for policy in policies:
        drops = policy.startswith("allkeys") or (policy.startswith("volatile") and mortal)
        if drops:
            yield _setting(
                "error" if limited else "warning",
                f"maxmemory-policy is {policy}: "
                + ("once" if limited else "if a maxmemory is set, then once")
                + " the memory is full, threads are dropped",
                "CONFIG SET maxmemory-policy noeviction, and the same in its configuration",
            )


_CHECKS: dict[str, tuple[Callable[[Facts], Iterator[Finding]], ...]] = {
    "sqlite": (_sqlite,),
    "postgres": (_postgres,),
    "redis": (_redis,),
}
