"""`ttl`: a thread's rows expire together, are shown by no read, and make room for new ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from lgckpt.saver import Saver
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.lives import PLACES, Place
from tests.contract.stored import assert_nothing_missing, stored

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(300)]
STATES: dict[str, dict[str, Any]] = {"small": {"n": 0}, "large": {"large": LARGE, "n": 0}}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with PLACES[request.param]() as found:
        yield found


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def names(found: list[Any]) -> set[str]:
    return {one.config["configurable"]["thread_id"] for one in found}


async def filled(coloured: Coloured, *threads: str) -> dict[str, Any]:
    """Threads of two checkpoints, a large value and two writes; gives the config of each head."""
    heads = {}
    for name in threads:
        thread = Thread(coloured, name)
        first = await thread.put({"large": LARGE}, run_id=name)
        await coloured.put_writes(first, [("n", 0)], "task")
        heads[name] = await thread.put({"n": 1}, run_id=name)
        await coloured.put_writes(heads[name], [("n", 1)], "task")
    return heads


async def assert_shows(reader: Coloured, head: Any, name: str, *, there: bool) -> None:
    """Each kind of read finds the thread, or none does."""
    assert (await reader.get_tuple(config(name)) is not None) is there
    assert (await reader.get_tuple(head) is not None) is there
    assert len(await reader.list(config(name))) == 2 * there
    assert (name in names(await reader.list(None))) is there
    assert len(await reader.list(None, filter={"run_id": name})) == 2 * there
    history = await reader.get_delta_channel_history(config=head, channels=["n"])
    assert bool(history["n"]["writes"]) is there
    await reader.copy_thread(name, f"copy of {name}")
    assert (await reader.get_tuple(config(f"copy of {name}")) is not None) is there
    await reader.delete_thread(f"copy of {name}")


async def test_what_has_expired_is_shown_by_no_read(place: Place, colour: str) -> None:
    with place.saver(ttl=1000) as saver, place.saver() as other:
        heads = await filled(Coloured(saver, colour), "gone", "kept")
        place.age("gone", 1000)
        for reader in (Coloured(saver, colour), Coloured(other, colour)):
            await assert_shows(reader, heads["gone"], "gone", there=False)
            await assert_shows(reader, heads["kept"], "kept", there=True)


@pytest.mark.parametrize("size", STATES)
async def test_a_thread_that_holds_no_writes_is_not_shown_either(
    place: Place, colour: str, size: str
) -> None:
    with place.saver(ttl=1000) as saver, place.saver() as other:
        at = await Thread(Coloured(saver, colour)).put(STATES[size])
        for reader in (Coloured(saver, colour), Coloured(other, colour)):
            assert await reader.get_tuple(at) is not None
        place.age("t", 1000)
        for reader in (Coloured(saver, colour), Coloured(other, colour)):
            assert await reader.get_tuple(at) is None
            assert await reader.get_tuple(config("t")) is None


async def test_what_has_expired_takes_no_place_in_a_page(place: Place, colour: str) -> None:
    with place.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        for n in range(9):
            await filled(coloured, f"t {n}")
        for n in range(2, 9):
            place.age(f"t {n}", 1000)
        for limit in (1, 2, 3):
            found = await coloured.list(None, limit=limit)
            assert len(found) == limit
            assert names(found) <= {"t 0", "t 1"}


async def test_retention_leaves_what_has_expired_alone(place: Place, colour: str) -> None:
    with place.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        heads = await filled(coloured, "gone", "kept")
        place.age("gone", 1000)
        await coloured.prune(["gone", "kept"])
        await coloured.delete_for_runs(["gone"])
        assert names(await coloured.list(None)) == {"kept"}
        await coloured.delete_thread("gone")
        assert await coloured.sweep() == 0
        assert {row.thread_id for row in stored(saver).checkpoints} == {"kept"}
        assert (await coloured.get_tuple(heads["kept"])).pending_writes == [("task", "n", 1)]


@pytest.mark.parametrize("forget", [False, True], ids=["remembered", "forgotten"])
@pytest.mark.parametrize("size", STATES)
async def test_a_put_to_what_has_expired_begins_it_anew(
    place: Place, colour: str, size: str, forget: bool
) -> None:
    with place.saver(ttl=timedelta(minutes=5)) as saver:
        thread = Thread(Coloured(saver, colour))
        first = await thread.put(STATES[size])
        await thread.put({"n": 1})
        place.age("t", 300)
        if forget:
            saver._handle.hints.reset()
        await thread.put({"n": 2})
        assert await thread.state() == {**STATES[size], "n": 2}
        assert len(await Coloured(saver, colour).list(config("t"))) == 1
        assert await Coloured(saver, colour).get_tuple(first) is None
        assert 290 < place.left("t") <= 300
        assert_nothing_missing(saver)


async def test_a_put_without_a_ttl_begins_it_anew_for_ever(place: Place, colour: str) -> None:
    with place.saver(ttl=300) as saver, place.saver() as other:
        thread = Thread(Coloured(other, colour))
        await filled(Coloured(saver, colour), "t")
        place.age("t", 300)
        await thread.put({"n": 2})
        await thread.put({"n": 3})
        assert len(await Coloured(other, colour).list(config("t"))) == 2
        assert place.left("t") is None


async def test_writes_to_what_has_expired_are_kept(place: Place, colour: str) -> None:
    """They may be of a superstep whose checkpoint is still to come."""
    with place.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        thread = Thread(coloured)
        at = await thread.put({"large": LARGE})
        await coloured.put_writes(at, [("large", LARGE[:200])], "task")
        place.age("t", 1000)
        await coloured.put_writes(at, [("large", LARGE[:200])], "task")
        assert await coloured.get_tuple(at) is None
        assert await coloured.sweep() == 0
        assert place.left("t") > 990
        assert_nothing_missing(saver)
        assert [write.thread_id for write in stored(saver).writes] == ["t"]
        await thread.put({"n": 1})
        assert await thread.state() == {"large": LARGE, "n": 1}


@pytest.mark.parametrize("size", STATES)
async def test_each_put_prolongs_a_life(place: Place, colour: str, size: str) -> None:
    with place.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        thread = Thread(coloured)
        at = await thread.put(STATES[size])
        assert 990 < place.left("t") <= 1000
        place.age("t", 30)
        await thread.put({"n": 1})
        assert (place.left("t") < 975) is place.coarse
        place.age("t", 100)
        await thread.put({"n": 2})
        assert place.left("t") > 990
        place.age("t", 100)
        await coloured.put_writes(at, [("n", 1)], "task")
        assert place.left("t") > 990
        assert len(await coloured.list(config("t"))) == 3


@pytest.mark.parametrize("size", STATES)
async def test_reading_prolongs_a_life_where_asked_to(place: Place, colour: str, size: str) -> None:
    with place.saver(ttl=1000) as saver:
        plain = Coloured(saver, colour)
        at = await Thread(plain).put(STATES[size])
        for wanted in (at, config("t")):
            with place.saver(ttl=1000, refresh_on_read=True) as other:
                reader = Coloured(other, colour)
                place.age("t", 100)
                assert await plain.get_tuple(wanted) is not None
                assert await plain.list(config("t")) != []
                assert place.left("t") <= 900
                assert await reader.get_tuple(wanted) is not None
                assert place.left("t") > 990
                place.age("t", 1000)
                assert await reader.get_tuple(wanted) is None
                await Thread(plain).put(STATES[size])
                at = (await plain.get_tuple(config("t"))).config


async def test_listing_prolongs_a_life_where_asked_to(place: Place, colour: str) -> None:
    with place.saver(ttl=1000, refresh_on_read=True) as saver:
        coloured = Coloured(saver, colour)
        await Thread(coloured).put({"n": 1})
        place.age("t", 100)
        assert len(await coloured.list(None)) == 1
        assert place.left("t") > 990


async def test_reading_does_not_end_a_life_without_end(place: Place, colour: str) -> None:
    with place.saver() as saver, place.saver(ttl=1000, refresh_on_read=True) as other:
        at = await Thread(Coloured(saver, colour)).put({"n": 1})
        await Thread(Coloured(other, colour), "other").put({"n": 1})
        assert await Coloured(other, colour).get_tuple(at) is not None
        if place.frees:
            assert place.left("t") is None


@pytest.mark.parametrize("size", STATES)
async def test_a_put_without_a_ttl_makes_a_thread_live_for_ever(
    place: Place, colour: str, size: str
) -> None:
    if not place.frees:
        pytest.skip("a thread keeps its own here")
    with place.saver(ttl=1000) as saver, place.saver() as other:
        thread = Thread(Coloured(saver, colour))
        at = await thread.put(STATES[size])
        thread.saver = Coloured(other, colour)
        await thread.put({"n": 1})
        assert place.left("t") is None
        thread.saver = Coloured(saver, colour)
        await thread.put({"n": 2})
        assert place.left("t") > 990
        await Coloured(other, colour).put_writes(at, [("n", 1)], "task")
        assert place.left("t") is None
        await Coloured(saver, colour).put_writes(at, [("n", 1)], "task 2")
        assert place.left("t") > 990
        assert len(await Coloured(saver, colour).list(config("t"))) == 3


async def test_a_copy_lives_as_long_as_a_put(place: Place, colour: str) -> None:
    with place.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        await filled(coloured, "t", "expired")
        place.age("t", 500)
        place.age("expired", 1000)
        for target in ("new", "expired"):
            await coloured.copy_thread("t", target)
            assert place.left(target) > 990
            assert len(await coloured.list(config(target))) == 2
        assert place.left("t") <= 500
        assert_nothing_missing(saver)


async def test_a_sweep_deletes_what_has_expired_and_nothing_else(place: Place, colour: str) -> None:
    if not place.sweeps:
        pytest.skip("what has expired is gone here")
    with place.saver(ttl=1000) as saver, place.saver() as other:
        coloured = Coloured(saver, colour)
        expired = {f"t {n}" for n in range(0, 40, 2)}
        await filled(coloured, *(f"t {n}" for n in range(40)))
        await filled(Coloured(other, colour), "for ever")
        for name in expired:
            place.age(name, 1000)
        assert await coloured.sweep() == len(expired)
        assert await coloured.sweep() == 0
        found = stored(saver)
        kept = {f"t {n}" for n in range(1, 40, 2)} | {"for ever"}
        assert {row.thread_id for row in found.checkpoints} == kept
        assert {row.thread_id for row in found.writes} == kept
        assert found.chunks.keys() == kept
        for name in expired:
            assert await coloured.get_tuple(config(name)) is None
        assert_nothing_missing(saver)


async def test_nothing_is_left_of_a_thread_that_was_begun_anew(place: Place, colour: str) -> None:
    with place.saver(ttl=1000) as saver:
        await filled(Coloured(saver, colour), "t")
        before = stored(saver).payload
        place.age("t", 1000)
        await Thread(Coloured(saver, colour)).put({"n": 1})
        assert await Coloured(saver, colour).sweep() == 0
        assert stored(saver).payload < before / 10
        assert stored(saver).count == 0


def test_a_clone_has_the_same_lives(place: Place) -> None:
    with place.saver(ttl=1000) as saver:
        clone: Saver = saver.with_allowlist([])
        assert clone.sweep() == 0
