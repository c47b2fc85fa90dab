"""The oldest releases that pyproject.toml admits, as constraints for pip: `python -m tests.oldest`.

Of what the package needs to run, and of LangGraph's own packages; test tools are the newest.
"""

from __future__ import annotations

from importlib.metadata import requires

from packaging.requirements import Requirement

LANGGRAPH = ("langgraph", "aiosqlite")
"""How the names begin of what is needed by extras and matters to the saver."""


def constraints() -> list[str]:
    """One `name==version` for each lower bound; where extras differ, the highest of theirs."""
    oldest: dict[str, str] = {}
    for requirement in map(Requirement, requires("lgckpt") or []):
        if requirement.marker is not None and not requirement.name.startswith(LANGGRAPH):
            continue
        for bound in requirement.specifier:
            if bound.operator == ">=":
                oldest[requirement.name] = max(
                    bound.version, oldest.get(requirement.name, ""), key=_numbers
                )
    return [f"{name}=={version}" for name, version in sorted(oldest.items())]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part]


if __name__ == "__main__":
    print("\n".join(constraints()))
