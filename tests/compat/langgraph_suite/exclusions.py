"""Tests that cannot pass with any saver but the official one: each by name, with its reason.

They run all the same. One that passes with ours is a stale entry, and fails the comparison,
as does one that fails for another reason.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Exclusion:
    """Why a test fails with ours.

    Attributes:
        reason: For people.
        sign: What its failure must say.
    """

    reason: str
    sign: str


EXCLUSIONS: dict[str, Exclusion] = {
    "tests/test_channels.py::test_delta_channel_snapshot_version_based": Exclusion(
        "reads the official saver's `blobs` to find a stored _DeltaSnapshot",
        "has no attribute 'blobs'",
    ),
}
"""By node id, without parameters."""


def exclusion(nodeid: str) -> Exclusion | None:
    """The entry of a test, if it has one."""
    return EXCLUSIONS.get(nodeid.split("[", 1)[0])
