"""A password that rotates: the saver asks for the one to connect with now."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PostgresServer
from tests.survive.harness import scaled
from tests.survive.states import Conversation, assert_whole
from tests.topologies.postgres.load import Load, assert_told

ROLE = "rotating"
SCHEMA = "rotated"


class Role:
    """A role whose password changes; `given` is the one that the saver is told."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.number = 0
        self.given = ""
        self.asked = 0
        self.admin = psycopg.connect(server.url, autocommit=True)
        self.rotate()
        self.given = self.password

    @property
    def password(self) -> str:
        return f"number {self.number} of the passwords"

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@127.0.0.1:{self.server.port}/postgres"

    def rotate(self) -> None:
        """Change it at the server, and end all sessions."""
        self.number += 1
        found = self.admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone()
        verb = sql.SQL("ALTER" if found else "CREATE")
        change = sql.SQL("{} ROLE {} SUPERUSER LOGIN PASSWORD {}").format(
            verb, sql.Identifier(ROLE), sql.Literal(self.password)
        )
        self.admin.execute(change)
        self.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,)
        )

    def ask(self) -> str:
        self.asked += 1
        return self.given

    async def aask(self) -> str:
        await asyncio.sleep(0)
        return self.ask()


@pytest.fixture
def role(own_server: PostgresServer) -> Iterator[Role]:
    role = Role(own_server)
    yield role
    role.admin.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["function", "coroutine function"])
def test_a_rotated_password_is_taken_up_under_load(role: Role, how: str) -> None:
    ask: Any = role.ask if how == "function" else role.aask
    schema = f"{SCHEMA} {how}"
    with lgckpt.PostgresSaver(role.url, schema=schema, password=ask) as saver:
        with Load(saver).running() as load:
            for _ in range(scaled(3)):
                load.more(100)
                role.given = f"number {role.number + 1} of the passwords"
                role.rotate()
            load.more(100)
        assert not load.failed, load.failed[0]
        assert role.asked > scaled(3)
    load.check(role.server.url, schema)


def test_the_new_password_may_be_known_a_moment_later(role: Role) -> None:
    """The server has it first, then whoever keeps it: that takes a while."""
    conversation = Conversation("large-1")
    with lgckpt.PostgresSaver(role.url, schema=SCHEMA, password=role.ask) as saver:
        conversation.put(saver)
        role.rotate()
        later = threading.Timer(0.5, lambda: setattr(role, "given", role.password))
        later.start()
        conversation.put(saver)
        later.join()
        assert_whole(saver.get_tuple(config("large-1")))


def test_a_password_that_stays_wrong_is_told_in_time(role: Role) -> None:
    with lgckpt.PostgresSaver(role.url, password=role.ask, retry_for=0.5) as saver:
        role.rotate()
        with pytest.raises(lgckpt.StorageError, match="password authentication failed") as raised:
            saver.setup()
        assert_told(raised.value, "127.0.0.1", role.given, role.password)


def test_a_password_that_cannot_be_had_is_told_with_its_cause(role: Role) -> None:
    def ask() -> str:
        raise LookupError("the vault is sealed")

    with (
        lgckpt.PostgresSaver(role.url, password=ask, retry_for=0.5) as saver,
        pytest.raises(LookupError, match="sealed"),
    ):
        saver.setup()
