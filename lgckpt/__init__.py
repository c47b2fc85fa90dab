"""Checkpoint persistence for LangGraph agents: savers and a serializer on a Rust core."""

import logging

from lgckpt import upkeep
from lgckpt.acceleration import Acceleration, accelerate, accelerated, decelerate
from lgckpt.archive.passing import Passed
from lgckpt.archive.saving import adump, arestore, dump, restore
from lgckpt.drafting import TaskWrites
from lgckpt.errors import (
    ClosedError,
    ConfigurationError,
    CorruptCheckpointError,
    DecodeError,
    EncodeError,
    FrameError,
    LgckptError,
    MissingError,
    NotFoundError,
    StorageError,
    UnsupportedFormatError,
)
from lgckpt.loadtest.recording import Recording, record
from lgckpt.memory import InMemorySaver, MemorySaver
from lgckpt.migration.api import amigrate, migrate
from lgckpt.migration.report import Damage, Difference, Migration, Verification
from lgckpt.postgres import AsyncPostgresSaver, PostgresSaver, postgres_ddl
from lgckpt.redis import AsyncRedisSaver, RedisSaver
from lgckpt.saver import Saver
from lgckpt.serde import Serializer
from lgckpt.sqlite import AsyncSqliteSaver, SqliteSaver, sqlite_ddl
from lgckpt.status import Status, status
from lgckpt.telemetry import instrument, uninstrument
from lgckpt.url import from_url

# What is logged is the application's to show.
logging.getLogger("lgckpt").addHandler(logging.NullHandler())

__all__ = [
    "Acceleration",
    "AsyncPostgresSaver",
    "AsyncRedisSaver",
    "AsyncSqliteSaver",
    "ClosedError",
    "ConfigurationError",
    "CorruptCheckpointError",
    "Damage",
    "DecodeError",
    "Difference",
    "EncodeError",
    "FrameError",
    "InMemorySaver",
    "LgckptError",
    "MemorySaver",
    "Migration",
    "MissingError",
    "NotFoundError",
    "Passed",
    "PostgresSaver",
    "Recording",
    "RedisSaver",
    "Saver",
    "Serializer",
    "SqliteSaver",
    "Status",
    "StorageError",
    "TaskWrites",
    "UnsupportedFormatError",
    "Verification",
    "accelerate",
    "accelerated",
    "adump",
    "amigrate",
    "arestore",
    "decelerate",
    "dump",
    "from_url",
    "instrument",
    "migrate",
    "postgres_ddl",
    "record",
    "restore",
    "sqlite_ddl",
    "status",
    "uninstrument",
    "upkeep",
]
