"""Imported by programs that must print nothing under `-X dev`, however busy the machine is.

Development mode has asyncio tell of each callback that takes longer than 0.1 s. Nothing else of
what it tells is kept back.
"""

from __future__ import annotations

import logging

logging.getLogger("asyncio").addFilter(
    lambda record: not str(record.msg).startswith("Executing %s took")
)
