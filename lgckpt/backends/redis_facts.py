"""What a Redis server says of itself: settings on which it depends whether data stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lgckpt.backends.redis_calls import Calls
from lgckpt.backends.redis_threads import Space

_INFO = {
    "redis_version": "redis_version",
    "valkey_version": "valkey_version",
    "role": "role",
    "aof_enabled": "aof_enabled",
    "aof_last_write_status": "aof_last_write_status",
    "rdb_last_bgsave_status": "rdb_last_bgsave_status",
    "maxmemory": "maxmemory",
    "maxmemory_policy": "maxmemory-policy",
}
"""Fields of INFO, and the names of the settings that they are."""

_CONFIG = ("save", "appendonly", "appendfsync", "maxmemory", "maxmemory-policy")


class Facts:
    """The verb of `RedisStorage` that tells of the servers."""

    _calls: Calls
    _space: Space

    async def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """See `lgckpt.storage.SyncStorage.facts`; where masters differ, each value once."""
        told: dict[str, dict[str, None]] = {}
        for section in ("server", "replication", "persistence", "memory"):
            for node in await self._calls.every("INFO", section):
                _note(told, {_INFO[k]: v for k, v in node.items() if k in _INFO})
        for name in _CONFIG:
            for node in await self._calls.every("CONFIG", "GET", name):
                _note(told, node)
        found = {name: ", ".join(values) for name, values in told.items()}
        return {"backend": "redis", "ttl": str(self._space.ttl_ms > 0).lower(), **found}


def _note(told: dict[str, dict[str, None]], values: Mapping[Any, Any]) -> None:
    for name, value in values.items():
        told.setdefault(_text(name), {})[_text(value)] = None


def _text(raw: Any) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
