"""What the golden SQLite files hold: made from constants, so that it need not be stored twice."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from lgckpt.saver import Saver
from tests.checkpoints import Thread
from tests.colours import Coloured

CODECS = ("lz4", "zstd", None)
STEPS = 12


def state(step: int) -> dict[str, Any]:
    """The channel values at a step: scalars, a list that grows, a document that stays."""
    messages: list[Any] = []
    for number in range(step * 3):
        messages.append(HumanMessage(f"question {number} " * 12, id=f"h{number}"))
        messages.append(AIMessage(f"answer {number} " * 30, id=f"a{number}"))
    return {
        "count": step,
        "name": f"step {step}",
        "nothing": None,
        "raw": bytes(range(256)) * (step + 1),
        "messages": messages,
        "document": "".join(f"{n} is the number {n * n % 97}. " for n in range(900)),
    }


def write(step: int) -> list[tuple[str, Any]]:
    """The pending writes at a step: a small one and a large one."""
    return [("small", step), ("large", [f"{step}:{n}" * 20 for n in range(400)])]


async def fill(saver: Saver, thread_id: str) -> None:
    """Store every step, with its writes, as one thread."""
    thread = Thread(Coloured(saver, "async"), thread_id)
    for step in range(STEPS):
        new = state(step)
        changed = new if step == 0 else {k: new[k] for k in ("count", "name", "raw", "messages")}
        config = await thread.put(changed, run_id=f"run {step % 3}")
        await saver.aput_writes(config, write(step), "task", "path")
