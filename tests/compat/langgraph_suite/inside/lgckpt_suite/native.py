"""LangGraph's step made native for the whole run."""

import warnings

import lgckpt
from lgckpt._accelerate.places import PLACES


def put_in_place() -> None:
    """Accelerate every graph; what could not be, all of it, ends the run."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lgckpt.accelerate()


def is_in_place() -> bool:
    """Whether every place still has the native function."""
    found = lgckpt.status().acceleration
    return (
        found.scope == "all"
        and len(found.native) == sum(map(len, PLACES.values()))
        and not found.others
    )


def said() -> str:
    """What is native, for people."""
    return f"native: {', '.join(lgckpt.status().acceleration.native)}"
