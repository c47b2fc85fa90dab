"""Numbers for people."""

from __future__ import annotations

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def bytes_of(size: int) -> str:
    """A size, exact below a thousand bytes, else to a tenth."""
    value, unit = float(size), 0
    while abs(value) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} bytes" if not unit else f"{value:.1f} {_UNITS[unit]}"


def count_of(number: int, what: str) -> str:
    """How many of what: "1 thread", "2,000 threads"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
