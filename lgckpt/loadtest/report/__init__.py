"""What a load test found, for people: on the terminal, and as files."""

from __future__ import annotations

from pathlib import Path

from lgckpt.loadtest.results import Run, write

RESULTS, PAGE = "results.json", "report.html"


def save(run: Run, directory: Path) -> Path:
    """Write `results.json` and `report.html` into a directory, made if need be; gives the page.

    Raises:
        OSError: They cannot be written.
    """
    # It takes Matplotlib half a second to load, which a run without a report does without.
    from lgckpt.loadtest.report.page import html  # noqa: PLC0415

    directory.mkdir(parents=True, exist_ok=True)
    write(run, directory / RESULTS)
    page = directory / PAGE
    page.write_text(html(run), encoding="utf-8")
    return page
