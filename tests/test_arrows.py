"""Arrows between modules point one way; this holds them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lgckpt

ROOT = Path(lgckpt.__file__).parent

SHARED = {"errors", "rows", "core"}
RULES = {"bulk", "packing", "serde", "storage"}
SAVER = {
    "bridges", "configs", "drafting", "handle", "hints", "history", "listing", "operations",
    "reading", "recall", "retention", "saver", "small", "snapshots",
    "versions",
}  # fmt: skip
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "lifetimes": {"errors"},
    "rows": set(),
    "core": {"errors", "_core", "_fallback", "telling"},
    "_fallback": {"errors"},
    "serde": {"errors", "core", "_serde"},
    "_serde": {"errors", "core"},
    "forks": set(),
    "mailbox": {"errors"},
    "loops": {"errors", "forks", "mailbox"},
    "chunks": SHARED,
    "bulk": {"errors", "rows"},
    "telling": {"errors"},
    "watching": set(),
    "storage": {"bulk", "rows", "watching"},
    "packing": SHARED | {"serde"},
    "backends": {"bulk", "chunks", "errors", "forks", "rows", "storage", "telling", "watching"},
    **dict.fromkeys(SAVER, SHARED | RULES | SAVER | {"forks", "loops", "telling", "watching"}),
    "memory": {"backends", "errors", "saver"},
    "sqlite": {"backends", "errors", "lifetimes", "saver"},
    "postgres": {"backends", "errors", "lifetimes", "saver"},
    "redis": {"backends", "errors", "lifetimes", "saver"},
    "url": {"errors", "memory", "postgres", "redis", "saver", "sqlite"},
    "migration": {*SHARED, *RULES, *SAVER, "archive", "backends", "chunks", "url"},
    "archive": {*SHARED, *RULES, *SAVER, "chunks", "migration"},
    "inspection": {*SHARED, *RULES, *SAVER, "chunks", "migration", "url"},
    "upkeep": {"postgres", "sqlite", *SHARED, *RULES, *SAVER, "chunks", "migration", "url"},
    "loadtest": {*SHARED, *SAVER, "migration", "serde", "url"},
    "cli": {
        "archive",
        "core",
        "errors",
        "inspection",
        "loadtest",
        "migration",
        "saver",
        "status",
        "upkeep",
        "url",
    },
    "barrier": {"saver"},
    "gathering": {"drafting", "saver"},
    "telemetry": {"bulk", "errors", "forks", "handle", "rows", "saver", "storage", "watching"},
    "acceleration": {"_accelerate", "core", "errors", "forks", "telling"},
    "_accelerate": {"_serde", "barrier", "channels", "gathering", "memory", "pregel"},
    "status": {"acceleration", "core"},
    "channels": {"core", "_serde"},
    "ids": {"_serde", "core"},
    "pregel": {"_serde", "channels", "core", "ids"},
}
HOST_FREE = {
    "backends", "bulk", "chunks", "core", "errors", "forks", "loops", "mailbox", "rows", "storage",
    "telling", "watching",
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if p.name != "__init__.py" or p.parent != ROOT)


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    here = room(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("lgckpt.")}
    assert ours - {here} <= ALLOWED[here]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_storage_and_backends_know_nothing_of_langgraph(path: Path) -> None:
    if room(path) in HOST_FREE:
        hosts = {name.split(".")[0] for name in imported(path)}
        assert not hosts & {"langgraph", "langchain_core"}


def test_a_backend_never_imports_another() -> None:
    for path in (ROOT / "backends").glob("*.py"):
        mine = path.stem.split("_")[0]
        others = {
            name.split(".")[2].split("_")[0]
            for name in imported(path)
            if name.startswith("lgckpt.backends.")
        }
        assert others <= {mine}
