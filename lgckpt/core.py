"""Which core is in use: the compiled one, or its pure Python twin.

The choice is made once, when this module is first imported.

Attributes:
    core: The module: `lgckpt._core` or `lgckpt._fallback`. Both have the same functions.
    REASON: Why this one, in a sentence.
"""

from __future__ import annotations

import logging
import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Final

from lgckpt.telling import tell

if TYPE_CHECKING:
    from types import ModuleType

    from lgckpt import _core as core

_PURE = "LGCKPT_PURE"


def _select() -> tuple[ModuleType, str]:
    asked = os.environ.get(_PURE, "")
    if asked.lower() in ("1", "true", "yes"):
        return import_module("lgckpt._fallback"), f"{_PURE}={asked} asks for pure Python"
    try:
        compiled = import_module("lgckpt._core")
    except ImportError as error:
        reason = f"the compiled core does not load ({error})"
        tell(
            logging.getLogger(__name__), logging.INFO, "fallback", "pure Python is used: %s",
            reason, what="core",
        )  # fmt: skip
        warnings.warn(
            f"lgckpt works in pure Python, several times slower: {reason}; "
            f"reinstall it where there is a Rust toolchain, or set {_PURE}=1 to ask for this",
            RuntimeWarning,
            stacklevel=2,
        )
        return import_module("lgckpt._fallback"), reason
    return compiled, "the compiled core loads"


_module, _reason = _select()
REASON: Final = _reason
if not TYPE_CHECKING:
    core = _module

__all__ = ["REASON", "core"]
