"""Each test of this folder runs on both cores; `other` is the one that `core` is not."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest

from lgckpt import _fallback

CORES = {"fallback": _fallback}
if find_spec("lgckpt._core") is not None:
    CORES["compiled"] = import_module("lgckpt._core")


@pytest.fixture(params=sorted(CORES), scope="session")
def core(request):
    return CORES[request.param]


@pytest.fixture(scope="session")
def other(core):
    others = [it for it in CORES.values() if it is not core]
    if not others:
        pytest.skip("there is no compiled core to compare with")
    return others[0]
