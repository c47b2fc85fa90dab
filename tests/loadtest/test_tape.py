"""What a real graph asks is recorded, scrubbed if wanted, and played back."""

from __future__ import annotations

import asyncio
import dataclasses
import operator
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from pydantic import BaseModel

import lgckpt
from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.loadtest.calls import Get, History, Put, PutWrites
from lgckpt.loadtest.replaying import Replay
from lgckpt.loadtest.running import run
from lgckpt.loadtest.scrubbing import Scrubber
from lgckpt.loadtest.settings import Settings
from lgckpt.loadtest.tape import MAGIC, read_tape

SECRET = "Zanzibar"


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[str], operator.add]


def _graph(saver: Any) -> Any:
    def model(state: State) -> dict[str, Any]:
        said = AIMessage(f"{SECRET} {len(state['messages'])}", id=f"m{len(state['messages'])}")
        return {"messages": [said], "notes": [SECRET.lower()]}

    builder = StateGraph(State)
    builder.add_node("model", model)
    builder.add_edge(START, "model")
    builder.add_edge("model", END)
    return builder.compile(checkpointer=saver)


def _thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def _recorded(path: Path, threads: int = 2, turns: int = 3, **options: Any) -> None:
    with lgckpt.MemorySaver() as saver, lgckpt.record(saver, path, **options) as recording:
        graph = _graph(recording)
        for turn in range(turns):
            for thread in range(threads):
                config = {"configurable": {"thread_id": f"{SECRET}-{thread}"}}
                graph.invoke({"messages": [HumanMessage(f"{SECRET}? {turn}")]}, config)
        list(graph.get_state_history(config))
        # It does what the saver does.
        assert len(graph.get_state(config).values["messages"]) == turns * 2
        assert saver.get_tuple(config) is not None


def test_a_graph_is_played_back_and_all_reads_are_right(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    _recorded(path)
    tape = read_tape(path)
    assert len(tape.threads) == 2
    assert tape.overlap == 2
    calls = list(Replay(tape, None).script("again", 0))
    puts = [one for one in calls if isinstance(one, Put)]
    assert len(puts) == 3 * 3  # the input, and a superstep before and after the model
    assert {type(one) for one in calls} >= {Put, PutWrites, Get}
    last = puts[-1].checkpoint["channel_values"]
    assert [one.content for one in last["messages"]][-1] == f"{SECRET} 5"
    assert last["notes"] == [SECRET.lower()] * 3
    assert all(one.config["configurable"]["thread_id"] == "again" for one in calls)
    assert any(isinstance(one, History) for one in Replay(tape, None).script("again", 1))


@pytest.mark.parametrize("pace", [None, 50.0])
def test_a_recording_is_a_workload(tmp_path: Path, pace: float | None) -> None:
    path = tmp_path / "calls"
    _recorded(path)
    settings = Settings(
        f"sqlite:///{tmp_path}/x.db", replay=path, pace=pace, clients=2, duration=1.0, warmup=0.0
    )
    found = asyncio.run(run(settings))
    assert found.workload == "replay:calls"
    (side,) = found.sides
    assert side.steps >= 9
    assert side.correctness.checked > 4
    assert not found.wrong
    assert not side.errors


def test_its_own_pace_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    _recorded(path, threads=1)
    tape = read_tape(path)
    times = [one.at for one in Replay(tape, 0.5).script("t", 0)]  # type: ignore[union-attr]
    recorded = [call[1] for call in next(iter(tape.threads.values()))]
    assert times == pytest.approx([(one - recorded[0]) * 2 for one in recorded])
    assert times == sorted(times)


def test_a_recording_does_not_grow_with_the_square(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    _recorded(path, threads=1, turns=30)
    in_full = sum(
        len(data)
        for kind, data in (
            lgckpt.Serializer(compression=None).dumps_typed(
                [
                    one.checkpoint
                    for one in Replay(read_tape(path), None).script("t", 0)
                    if isinstance(one, Put)
                ]
            ),
        )
    )
    assert path.stat().st_size < in_full / 3


@pytest.mark.parametrize("scrub", [True, lambda _: "gone"])
def test_nothing_of_what_was_said_is_in_a_scrubbed_one(tmp_path: Path, scrub: Any) -> None:
    plain, path = tmp_path / "plain", tmp_path / "scrubbed"
    _recorded(plain)
    _recorded(path, threads=12, turns=1, scrub=scrub)
    assert SECRET in str(_all_values(plain))
    assert SECRET.encode() in plain.read_bytes()
    assert SECRET.lower() not in str(_all_values(path)).lower()
    assert SECRET.encode() not in path.read_bytes()
    # Whatever becomes of their names, each is a thread of its own.
    assert len(read_tape(path).threads) == 12


def _all_values(path: Path) -> list[Any]:
    tape = read_tape(path)
    return [list(tape.threads), *(tape.value(number) for number in tape.values)]


def test_a_scrubbed_one_is_played_back(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    _recorded(path, scrub=True)
    settings = Settings("memory://", replay=path, clients=2, duration=0.5, warmup=0.0)
    found = asyncio.run(run(settings))
    assert found.sides[0].steps >= 9
    assert not found.wrong


class Model(BaseModel):
    name: str
    size: int


@dataclasses.dataclass
class Record:
    name: str
    when: datetime


def test_scrubbing_keeps_shapes_and_sizes() -> None:
    scrubber = Scrubber()
    when = datetime(2026, 1, 2, tzinfo=timezone.utc)
    value = {
        "text": "Ünïted Nations of 1984, said Bob — again: Bob",
        "number": 40_213, "amount": 12.5, "yes": True, "none": None, "raw": b"abcdef",
        "nested": [("Alice", 7), {"Alice", "Eve"}],
        "message": HumanMessage("Alice and Bob", id="id-17"),
        "model": Model(name="Alice", size=123),
        "record": Record("Alice", when),
    }  # fmt: skip
    made = scrubber.value(value)
    text = str(made)
    assert not any(name in text for name in ("Alice", "Bob", "Eve", "1984", "40213", "12.5"))
    assert made.keys() == value.keys()
    assert len(made["text"].encode()) == len(value["text"].encode())
    assert [c.isalnum() for c in made["text"]] == [c.isalnum() for c in value["text"]]
    words = made["text"].replace(":", "").split()
    assert words[-1] == words[-4]
    assert len(str(made["number"])) == 5
    assert made["yes"] is True
    assert made["none"] is None
    assert len(made["raw"]) == 6
    assert isinstance(made["nested"][0], tuple)
    assert isinstance(made["message"], HumanMessage)
    assert made["message"].type == "human"
    assert isinstance(made["model"], Model)
    assert made["record"].when == when
    assert scrubber.value(value) == made
    assert Scrubber().value("Alice in Wonderland") != scrubber.value("Alice in Wonderland")


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_tape(path)
    path.write_bytes(b"something else")
    with pytest.raises(ConfigurationError, match="no recording"):
        read_tape(path)
    path.write_bytes(MAGIC)
    read_tape.cache_clear()
    with pytest.raises(ConfigurationError, match="no calls"):
        read_tape(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nowhere.*No such file") as caught:
        lgckpt.record(lgckpt.MemorySaver(), tmp_path / "nowhere" / "calls.lgckpt")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_call_that_cannot_be_recorded_says_so_and_is_not_made() -> None:
    saver = lgckpt.MemorySaver()
    recording = lgckpt.record(saver, "/dev/full")
    with pytest.raises(StorageError, match="/dev/full cannot be written: No space left"):
        _graph(recording).invoke({"messages": ["one"], "notes": []}, _thread("t"))
    assert saver.get_tuple(_thread("t")) is None
    with pytest.raises(StorageError, match="/dev/full"):
        recording.close()


def test_what_comes_after_the_end_is_left_out_and_done(tmp_path: Path) -> None:
    path = tmp_path / "calls.lgckpt"
    saver = lgckpt.MemorySaver()
    recording = lgckpt.record(saver, path)
    graph = _graph(recording)
    graph.invoke({"messages": ["one"], "notes": []}, _thread("t"))
    recording.close()
    size = path.stat().st_size
    graph.invoke({"messages": ["what nobody said before"], "notes": []}, _thread("t"))
    assert len(saver.get_tuple(_thread("t")).checkpoint["channel_values"]["messages"]) == 4
    assert path.stat().st_size == size


def test_a_recording_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path, cut = tmp_path / "calls", tmp_path / "cut"
    _recorded(path)
    data = path.read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    whole, part = read_tape(path), read_tape(cut)
    count = sum(len(calls) for calls in part.threads.values())
    assert 0 < count < sum(len(calls) for calls in whole.threads.values())
    assert list(Replay(part, None).script("t", 0))
