"""PEP 517 backend: maturin for the compiled wheel, hatchling for the pure one.

`LGCKPT_PURE=1 pip install .` must not need Rust, so the choice is made here,
before either tool is asked for.
"""

import importlib
import os
from typing import Any

PURE = os.environ.get("LGCKPT_PURE", "0").lower() in ("1", "true", "yes")
_REQUIRES = ["hatchling>=1.27"] if PURE else ["maturin>=1.9,<2"]


def _tool() -> Any:
    return importlib.import_module("hatchling.build" if PURE else "maturin")


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Name the one tool this build needs."""
    return _REQUIRES


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """Source distributions carry the Rust sources, so maturin packs them."""
    return ["maturin>=1.9,<2"]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """Name the one tool this build needs."""
    return _REQUIRES


def build_wheel(
    wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None
) -> str:
    """Build the wheel: release profile when compiled."""
    name: str = _tool().build_wheel(wheel_directory, config_settings, metadata_directory)
    return name


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the source distribution."""
    name: str = importlib.import_module("maturin").build_sdist(sdist_directory, config_settings)
    return name


def build_editable(
    wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None
) -> str:
    """Build an editable install."""
    name: str = _tool().build_editable(wheel_directory, config_settings, metadata_directory)
    return name
