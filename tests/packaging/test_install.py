"""`pip install .`: the compiled wheel, and the pure one on a machine without Rust."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = """
import json, lgckpt
with lgckpt.SqliteSaver(":memory:") as saver:
    from langgraph.checkpoint.base import empty_checkpoint
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    state = {"channel_values": {"a": ["x" * 9000]}, "channel_versions": {"a": 1}}
    saver.put(config, {**empty_checkpoint(), **state}, {}, {"a": 1})
    assert saver.get_tuple(config).checkpoint["channel_values"] == {"a": ["x" * 9000]}
print(json.dumps([lgckpt.__file__, lgckpt.status().core]))
"""


def wheel(target: Path, env: dict[str, str]) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(target), "."]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=900)
    (built,) = target.glob("*.whl")
    return built


def without_rust() -> dict[str, str]:
    paths = os.environ["PATH"].split(os.pathsep)
    kept = [p for p in paths if not any((Path(p) / tool).exists() for tool in ("cargo", "rustc"))]
    return {**os.environ, "LGCKPT_PURE": "1", "PATH": os.pathsep.join(kept)}


def run_installed(built: Path, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Unpack the wheel and import it from there, its dependencies from this environment."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(target)
    paths = os.pathsep.join([str(target), sysconfig.get_paths()["purelib"]])
    env = {k: v for k, v in os.environ.items() if k != "LGCKPT_PURE"} | {"PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, *options, "-c", CHECK],
        cwd=target,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_pure_wheel_needs_no_rust_and_says_that_it_is_pure(tmp_path: Path) -> None:
    built = wheel(tmp_path / "wheels", without_rust())
    assert built.name.endswith("-py3-none-any.whl")
    assert not [n for n in zipfile.ZipFile(built).namelist() if n.endswith((".so", ".pyd", ".rs"))]
    done = run_installed(built, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "site") in done.stdout
    assert '"pure"' in done.stdout
    assert done.stderr.count("RuntimeWarning") == 1


@pytest.mark.slow
def test_compiled_wheel_is_a_release_build(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "LGCKPT_PURE"}
    built = wheel(tmp_path / "wheels", env)
    names = zipfile.ZipFile(built).namelist()
    assert any(name.startswith("lgckpt/_core.") for name in names)
    assert {"lgckpt/py.typed", "lgckpt/_core.pyi", "lgckpt/backends/sql/sqlite.sql"} <= set(names)
    assert "lgckpt/backends/lua/store.lua" in names
    done = run_installed(built, tmp_path / "site", "-W", "error")
    assert done.returncode == 0, done.stderr
    assert '"compiled"' in done.stdout
