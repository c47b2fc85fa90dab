"""Looking after a database: what is in it that need not be, and what is wrong with it."""

from lgckpt.upkeep.schema import ddl

__all__ = ["ddl"]
