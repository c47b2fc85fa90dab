"""A whole database looked at: the server's settings, and thread by thread what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from lgckpt.errors import CorruptCheckpointError, UnsupportedFormatError
from lgckpt.migration.running import finished
from lgckpt.saver import Saver
from lgckpt.upkeep.checkup import Checkup
from lgckpt.upkeep.choosing import age, all_threads, names
from lgckpt.upkeep.findings import Chart, Diagnosis, Finding
from lgckpt.upkeep.opening import opened
from lgckpt.upkeep.settings import examine

GRACE = timedelta(hours=1)
"""How long writes may be there before their checkpoint, unless told otherwise."""


async def adoctor(
    where: str | Saver,
    *,
    threads: Sequence[str] = (),
    repair: bool = False,
    grace: str | timedelta = GRACE,
    progress: Callable[[Finding], None] | None = None,
) -> Diagnosis:
    """Find out what is wrong with a database.

    Of a thread it holds the hashes of its chunks and the names of its checkpoints, of everything
    else a page.

    Args:
        where: A URL, or a saver, which stays open.
        threads: Only these threads; empty for all.
        repair: Delete chunks that nothing refers to and pending writes whose checkpoint never
            came, each thread in one transaction; nothing else is ever touched.
        grace: How long writes may be there before their checkpoint, as a `timedelta` or "1h".
        progress: Called with each finding as it is made.

    Raises:
        ConfigurationError: The URL or an argument makes no sense.
        StorageError: The database cannot be used.
    """
    chart, span = Chart(progress), age(grace)
    only = names(threads, "threads")
    async with opened(where) as database:
        chart.add(examine(await database.facts(thorough=True)))
        async for thread_id in all_threads(database.driver, only):
            try:
                await Checkup(database, thread_id, chart, span, repair).run()
            except (CorruptCheckpointError, UnsupportedFormatError) as exc:
                what = f"it cannot be looked at to its end: {exc}"
                mend = "restore it from a backup"
                chart.add([Finding("error", "damaged-thread", what, mend, thread_id)])
    return chart.diagnosis()


def doctor(where: str | Saver, **options: Any) -> Diagnosis:
    """Sync version of `adoctor`."""
    return finished(adoctor(where, **options))
