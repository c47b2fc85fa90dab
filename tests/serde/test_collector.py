"""The cyclic collector rests while a long value is read, and nobody can tell."""

import gc

import pydantic
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from lgckpt.errors import DecodeError
from lgckpt.serde import Serializer

PAD = ["x" * 1000] * 40
SEEN: list[bool] = []
TURN_OFF: list[bool] = []


class Noting(pydantic.BaseModel):
    """Notes whether the collector is on while one is made, and may turn it off."""

    number: int

    def model_post_init(self, _: object) -> None:
        SEEN.append(gc.isenabled())
        if TURN_OFF:
            gc.disable()


@pytest.fixture(autouse=True)
def collector():
    SEEN.clear()
    TURN_OFF.clear()
    assert gc.isenabled()
    yield
    gc.enable()


def written() -> tuple[str, bytes]:
    data = JsonPlusSerializer().dumps_typed([PAD, Noting(number=1), PAD, Noting(number=2)])
    SEEN.clear()
    return data


def test_python_code_runs_with_the_collector_on(core):
    data = written()
    Serializer().loads_typed(data)
    assert SEEN == [True, True]
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(core):
    data = written()
    gc.disable()
    Serializer().loads_typed(data)
    assert SEEN == [False, False]
    assert not gc.isenabled()


def test_turning_it_off_meanwhile_is_heeded(core):
    data = written()
    TURN_OFF.append(True)
    Serializer().loads_typed(data)
    assert SEEN == [True, False]
    assert not gc.isenabled()


def test_it_is_on_again_after_an_error(core):
    tag, data = written()
    with pytest.raises(DecodeError):
        Serializer().loads_typed((tag, data[:-1]))
    assert gc.isenabled()


def test_no_collection_runs_while_a_long_value_is_read():
    data = JsonPlusSerializer().dumps_typed([[str(i), {"k": i}] for i in range(50_000)])
    serde = Serializer()
    if serde._core.BUILD_PROFILE == "pure":
        pytest.skip("ormsgpack leaves the collector on")
    ran = []
    gc.collect()
    callback = lambda phase, info: ran.append(info["generation"])  # noqa: E731
    gc.callbacks.append(callback)
    try:
        serde.loads_typed(data)
    finally:
        gc.callbacks.remove(callback)
    assert len(ran) <= 2, ran
