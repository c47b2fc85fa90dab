"""The choice between the cores."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lgckpt import _fallback

BROKEN = """
import sys, warnings
sys.modules["lgckpt._core"] = None
with warnings.catch_warnings(record=True) as met:
    warnings.simplefilter("always")
    from lgckpt.core import REASON, core
    import lgckpt.core
print(core.__name__, len(met), met[0].category.__name__, "Rust" in str(met[0].message), REASON)
"""
PLAIN = "from lgckpt.core import REASON, core; print(core.__name__, core.BUILD_PROFILE, REASON)"


def run(script: str, pure: str | None) -> str:
    env = {key: value for key, value in os.environ.items() if key != "LGCKPT_PURE"}
    if pure is not None:
        env["LGCKPT_PURE"] = pure
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("pure", ["1", "true"])
def test_the_environment_asks_for_pure_python_without_a_warning(pure):
    assert run(PLAIN, pure) == f"lgckpt._fallback pure LGCKPT_PURE={pure} asks for pure Python\n"


@pytest.mark.parametrize("pure", [None, "", "0"])
def test_the_compiled_core_is_the_default(pure):
    pytest.importorskip("lgckpt._core")
    assert run(PLAIN, pure).startswith("lgckpt._core ")


def test_a_core_that_does_not_load_warns_once_and_says_why():
    said = run(BROKEN, None)
    assert said.startswith("lgckpt._fallback 1 RuntimeWarning True the compiled core does not load")


def test_both_cores_have_the_same_names():
    compiled = pytest.importorskip("lgckpt._core")
    public = {name for name in dir(compiled) if not name.startswith("_")}
    assert public == set(_fallback.__all__)
