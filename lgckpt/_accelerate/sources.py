"""The sources of LangGraph's functions that the native ones were tested with."""

from __future__ import annotations

from typing import Final

from lgckpt._accelerate.places import Place
from lgckpt._serde.langgraph import digest

_ALGO = "langgraph.pregel._algo"
_CHECKPOINT = "langgraph.pregel._checkpoint"
_LOOP = "langgraph.pregel._loop"

PARTS: Final[dict[Place, tuple[Place, ...]]] = {
    Place(_ALGO, "apply_writes"): (
        Place(_ALGO, "task_path_str"),
        Place("langgraph.checkpoint.base", "writes_sort_key"),
    ),
    Place(_CHECKPOINT, "create_checkpoint"): (),
    Place(_CHECKPOINT, "channels_from_checkpoint"): (
        Place(_CHECKPOINT, "_delta_channels_to_replay"),
    ),
    Place(_CHECKPOINT, "achannels_from_checkpoint"): (
        Place(_CHECKPOINT, "_delta_channels_to_replay"),
    ),
    Place(_ALGO, "_triggers"): (),
    Place(_LOOP, "PregelLoop._put_checkpoint"): (
        Place("langgraph.pregel._utils", "get_new_channel_versions"),
    ),
    Place(_LOOP, "PregelLoop.put_writes"): (),
    Place(_CHECKPOINT, "copy_checkpoint"): (),
}
"""What each function calls that its native form repeats."""

TESTED: Final[dict[str, frozenset[str]]] = {
    "apply_writes": frozenset({"ce0d0a632d958c57"}),
    "task_path_str": frozenset({"fdd93b5d627c1afb"}),
    "writes_sort_key": frozenset({"1e5351fc7b201e03"}),
    "create_checkpoint": frozenset({"1f3458ce8b1a95a0"}),
    "channels_from_checkpoint": frozenset({"8cb853a7b5e371ab"}),
    "achannels_from_checkpoint": frozenset({"940afe0995b9cc49"}),
    "_delta_channels_to_replay": frozenset({"709b5736e428f863"}),
    "_triggers": frozenset({"cc6778ef2419cea0"}),
    "PregelLoop._put_checkpoint": frozenset({"39fddb954d84965f", "29c17827bb8c152c"}),
    "get_new_channel_versions": frozenset({"2509502169b0b2a9"}),
    "PregelLoop.put_writes": frozenset({"7ee37f9230ccf8db", "ce2202d27b50ec08"}),
    "copy_checkpoint": frozenset({"ff1eee2d2076b331"}),
}
"""By name: the digests of the sources that were tested with (langgraph 1.2.18 to 1.2.22)."""


def is_tested(function: Place) -> bool:
    """Whether a function, and all that it calls of which the native form has its own, is known."""
    return all(digest(part.look_up()) in TESTED[part.name] for part in (function, *PARTS[function]))
