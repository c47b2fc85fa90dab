"""Which nodes would run next, as far as a checkpoint tells without its graph.

LangGraph names the channels that trigger nodes: `branch:to:node`, `join:a+b:node`, `start:node`,
and `branch:a:path:node` in older releases. A node is due if such a channel has a value in a
version that the node has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lgckpt.inspection.checkpoints import Opened, value_view
from lgckpt.inspection.damage import DAMAGED
from lgckpt.inspection.views import Typed
from lgckpt.packing import Value

_INPUT, _TASKS = "__start__", "__pregel_tasks"


def next_nodes(opened: Opened) -> tuple[str, ...]:
    """The nodes that are due, in the order of the channels' names."""
    seen = opened.checkpoint.get("versions_seen")
    seen = seen if isinstance(seen, dict) else {}
    due: dict[str, None] = {}
    for channel in sorted(opened.state.values):
        node = _node(channel)
        if node is None or not _joined(channel, opened.state.values[channel]):
            continue
        version = opened.versions.get(channel)
        known = seen.get(node)
        if version is not None and _later(version, (known or {}).get(channel)):
            due[node] = None
    if (tasks := opened.state.values.get(_TASKS)) is not None:
        due.update(dict.fromkeys(_sent(tasks)))
    return tuple(due)


def _node(channel: str) -> str | None:
    if channel == _INPUT:
        return _INPUT
    kind, colon, rest = channel.partition(":")
    if not colon or kind not in ("branch", "join", "start"):
        return None
    return rest.rpartition(":")[2] or None


def _joined(channel: str, value: Value) -> bool:
    """Whether all the nodes that a join waits for are there."""
    if not channel.startswith("join:"):
        return True
    names = set(channel[len("join:") :].rpartition(":")[0].split("+"))
    view = _small(value)
    content = view.content if isinstance(view, Typed) else view
    return isinstance(content, list) and names <= {str(one) for one in content}


def _sent(value: Value) -> list[str]:
    """The nodes of the packets that `Send` put off to this step."""
    view = _small(value)
    packets = view if isinstance(view, list) else []
    return [
        str(one.content[0])
        for one in packets
        if isinstance(one, Typed) and isinstance(one.content, list) and one.content
    ]


def _small(value: Value) -> Any:
    """A value that lies in the row; chunks are not read for this."""
    if value.refs:
        return None
    try:
        return value_view(value, {})
    except DAMAGED:
        return None


def _later(version: Any, seen: Any) -> bool:
    try:
        return seen is None or bool(version > seen)
    except TypeError:
        return True


def changed_channels(opened: Opened, parent: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The channels that the step updated.

    Args:
        opened: The checkpoint.
        parent: The versions of its parent's channels; None if that is not there.
    """
    found = opened.checkpoint.get("updated_channels")
    if isinstance(found, list):
        return tuple(sorted(map(str, found)))
    before = parent or {}
    return tuple(sorted(c for c, v in opened.versions.items() if before.get(c) != v))
