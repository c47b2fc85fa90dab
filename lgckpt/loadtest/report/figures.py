"""Figures as people read them."""

from __future__ import annotations

from rich.filesize import decimal

NONE = "-"
"""What stands where there is no figure."""


def took(milliseconds: float) -> str:
    """A time in the unit that suits it, to about three digits."""
    if milliseconds >= 999.5:
        return f"{_digits(milliseconds / 1000)} s"
    if milliseconds >= 0.9995:
        return f"{_digits(milliseconds)} ms"
    return f"{milliseconds * 1000:.0f} µs"


def tick(milliseconds: float) -> str:
    """A time as an axis is labelled: "5 ms"."""
    for factor, unit in ((1000, "s"), (1, "ms")):
        if milliseconds >= 0.9995 * factor:
            return f"{milliseconds / factor:,.3g} {unit}"
    return f"{milliseconds * 1000:.3g} µs"


def share(part: float) -> str:
    """A share in percent: "60 %"."""
    return f"{100 * part:.2g} %" if part < 0.995 else f"{100 * part:,.0f} %"


def rate(per_second: float) -> str:
    """How many a second: "1,234", "12.3"."""
    return _digits(per_second) if per_second else "0"


def size(count: int | None) -> str:
    """Bytes in the unit that suits them."""
    return NONE if count is None else decimal(count)


def times(ratio: float) -> str:
    """A ratio: "3.1 times", "120 times"."""
    return f"{_digits(ratio)} times"


def load(value: float) -> str:
    """Clients, or supersteps a second, as a level is called."""
    return f"{value:,.6g}"


def _digits(value: float) -> str:
    """Three digits, so that figures below each other line up: "1,234", "18.0", "0.210"."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"
