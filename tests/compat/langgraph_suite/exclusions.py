"""Tests that cannot pass with any saver but the official one: each by name, with its reason.

They run all the same. One that passes with ours is a stale entry, and fails the comparison.
"""

READS_BLOBS = "reads the official saver's `blobs` to find a stored _DeltaSnapshot"

EXPECTED: dict[str, str] = {
    "tests/test_channels.py::test_delta_channel_snapshot_version_based": READS_BLOBS,
}
"""Node id (without parameters) to the reason why it fails with ours."""


def reason_for(nodeid: str) -> str | None:
    """Why this test is expected to fail with ours, or None if it is not."""
    return EXPECTED.get(nodeid.split("[", 1)[0])
