"""Where LangGraph's tests come from: the source distribution of the installed version."""

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path, PurePosixPath

TAKEN = ("tests", "pyproject.toml")
"""What of the sdist is unpacked: its package stays behind, the installed one is tested."""


def installed() -> str:
    """The version of LangGraph that is installed."""
    return version("langgraph")


def fetch(release: str, cache: Path) -> Path:
    """The sdist of a release, downloaded unless the cache has it.

    Raises:
        RuntimeError: pip could not download it.
    """
    archive = cache / f"langgraph-{release}.tar.gz"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", "langgraph", "--dest", str(cache), f"langgraph=={release}"]
        subprocess.run(command, check=True)
    if not archive.exists():
        raise RuntimeError(f"pip downloaded no {archive.name} into {cache}")
    return archive


def unpack(archive: Path, target: Path) -> None:
    """Put the suite's tests and their pytest configuration into `target`."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if inside.parts and inside.parts[0] in TAKEN:
                member.name = str(inside)
                tar.extract(member, target, filter="data")
