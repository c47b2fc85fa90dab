"""What a Postgres server says of itself: settings on which durability rests, and the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lgckpt.backends.postgres_pool import Connections
from lgckpt.backends.postgres_schema import SCHEMA, stored_version

_SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "max_connections",
    "superuser_reserved_connections", "data_checksums", "default_transaction_read_only",
)  # fmt: skip


class Facts:
    """The verb of `PostgresStorage` that tells of the server."""

    _primary: Connections
    _schema: str

    async def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """See `lgckpt.storage.SyncStorage.facts`; tables that are not there are not made."""

        async def ask(connection: Any) -> dict[str, str]:
            found = {
                name: str(await connection.fetchval("SELECT current_setting($1, true)", name))
                for name in _SETTINGS
            }
            in_recovery = await connection.fetchval("SELECT pg_catalog.pg_is_in_recovery()")
            found["in_recovery"] = "on" if in_recovery else "off"
            found["schema"] = str(await stored_version(connection, self._schema))
            return found

        return {
            "backend": "postgres",
            "schema_name": self._schema,
            "schema_known": str(SCHEMA),
            "pool_size": str(self._primary.size),
            **await self._primary.look(ask),
        }
