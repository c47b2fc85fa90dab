"""Few steps over large documents: fetch some, note what they say, write a report."""

from __future__ import annotations

from typing import Any

from lgckpt.loadtest.calls import Script
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread

DOCUMENTS = (3, 8)
CHARACTERS = (20_000, 200_000)
"""Of a document."""


def research(thread: Thread, talk: Talk) -> Script:
    """Research: a document a step, then notes on each, then the report."""
    question = talk.human()
    state: dict[str, Any] = {"question": question, "documents": [], "notes": [], "draft": ""}
    yield thread.put(state, node="__start__", source="input")
    documents: list[dict[str, Any]] = []
    for number in range(talk.random.randint(*DOCUMENTS)):
        fetched = _document(talk, number)
        yield thread.writes([("documents", [fetched])])
        documents = [*documents, fetched]
        yield thread.put({"documents": documents}, node="fetch")
    yield thread.get()
    notes: list[str] = []
    for _ in documents:
        notes = [*notes, talk.prose.text(talk.random.randint(500, 3_000))]
        yield thread.writes([("notes", notes[-1:])])
        yield thread.put({"notes": notes}, node="note")
    for _ in range(2):
        draft = talk.prose.text(talk.random.randint(5_000, 20_000))
        yield thread.writes([("draft", draft)])
        yield thread.put({"draft": draft}, node="write")
    yield thread.get()
    yield thread.history(limit=3)


def _document(talk: Talk, number: int) -> dict[str, Any]:
    # Longer pieces are rare.
    low, high = CHARACTERS
    length = int(low * (high / low) ** (talk.random.random() ** 2))
    return {
        "url": f"https://example.org/{'-'.join(talk.prose.words(3)).lower()}/{number}",
        "title": talk.prose.sentence(),
        "text": talk.prose.text(length),
        "score": round(talk.random.random(), 6),
    }
