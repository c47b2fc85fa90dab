"""The Lua scripts, one a file in `lua/`: each is one atomic step on one thread or shard."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

_DIRECTORY = Path(__file__).with_name("lua")


class Script(NamedTuple):
    """A script's text, and the digest by which a server that has it runs it."""

    name: str
    text: str
    sha: str


def _load(name: str) -> Script:
    shared = (_DIRECTORY / "shared.lua").read_text(encoding="utf-8")
    text = shared + (_DIRECTORY / f"{name}.lua").read_text(encoding="utf-8")
    return Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


STORE = _load("store")
GET = _load("get")
CHAIN = _load("chain")
SCAN = _load("scan")
WRITES = _load("writes")
MARKS = _load("marks")
FETCH = _load("fetch")
REFS = _load("refs")
EDIT = _load("edit")
NAMES = _load("names")
NAMED = _load("named")
HAS_RUN = _load("has_run")
DOOM = _load("doom")
DROP = _load("drop")
VACATE = _load("vacate")
LOCK = _load("lock")
REGISTER = _load("register")
RETIRE = _load("retire")
SAMPLE = _load("sample")
