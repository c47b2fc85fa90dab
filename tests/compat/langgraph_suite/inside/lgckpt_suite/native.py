"""LangGraph's step made native for the whole run."""

import warnings

import lgckpt


def put_in_place() -> None:
    """Accelerate every graph; what could not be, all of it, ends the run."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lgckpt.accelerate()


def is_in_place() -> bool:
    """Whether every place still has the native function."""
    found = lgckpt.status().acceleration
    return found.scope == "all" and len(found.native) == PLACES and not found.others


def said() -> str:
    """What is native, for people."""
    return f"native: {', '.join(lgckpt.status().acceleration.native)}"


PLACES = 11
"""All that LangGraph 1.2 has."""
