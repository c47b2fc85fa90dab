"""Checkpoint persistence for LangGraph agents."""

from lgckpt.memory import InMemorySaver, MemorySaver
from lgckpt.serde import Serializer
from lgckpt.sqlite import AsyncSqliteSaver, SqliteSaver
from lgckpt.url import from_url

__all__ = [
    "AsyncSqliteSaver", "InMemorySaver", "MemorySaver", "Serializer", "SqliteSaver", "from_url",
]
