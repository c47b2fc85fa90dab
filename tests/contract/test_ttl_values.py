"""What a `ttl` may be is the same for all savers that take one, and nonsense is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest

import lgckpt
from lgckpt import lifetimes
from lgckpt.errors import ConfigurationError
from lgckpt.saver import Saver

SAVERS: dict[str, Callable[..., Saver]] = {
    "sqlite": partial(lgckpt.SqliteSaver, ":memory:"),
    "postgres": partial(lgckpt.PostgresSaver, "postgresql://localhost/x"),
    "redis": partial(lgckpt.RedisSaver, "redis://localhost"),
}
NONSENSE = [
    0, -1, -0.5, 0.0, math.inf, -math.inf, math.nan, True, False, 1e-9, 10**11, 10**400, 1e300,
    timedelta(0), timedelta(seconds=-1), timedelta.max, np.float64("nan"),
    "60", b"60", "", [60], (), {60}, 60j, object, Decimal("60"),
]  # fmt: skip


@pytest.mark.parametrize("ttl", NONSENSE, ids=repr)
@pytest.mark.parametrize("name", SAVERS)
def test_nonsense_is_refused(name: str, ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match="a ttl is a number or a timedelta"):
        SAVERS[name](ttl=ttl)


@pytest.mark.parametrize("ttl", NONSENSE, ids=repr)
def test_nonsense_in_the_dict_of_the_official_redis_saver_is_refused(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match="a ttl is a number or a timedelta"):
        lgckpt.RedisSaver("redis://localhost", ttl={"default_ttl": ttl})


def test_that_dict_is_taken_by_no_other_saver() -> None:
    for name in ("sqlite", "postgres"):
        with pytest.raises(ConfigurationError, match="a ttl is a number or a timedelta"):
            SAVERS[name](ttl={"default_ttl": 60})
    with pytest.raises(ConfigurationError, match="unknown in ttl: default"):
        SAVERS["redis"](ttl={"default": 60})


@pytest.mark.parametrize(
    ("ttl", "expected"),
    [
        (None, None),
        (1, 1.0),
        (0.5, 0.5),
        (0.001, 0.001),
        (10**10, 1e10),
        (Fraction(1, 2), 0.5),
        (np.float32(2.5), 2.5),
        (np.int64(60), 60.0),
        (timedelta(milliseconds=1), 0.001),
        (timedelta(days=30), 30 * 86400.0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", SAVERS)
def test_lengths_of_time_are_taken(name: str, ttl: Any, expected: float | None) -> None:
    assert lifetimes.seconds(ttl) == expected
    SAVERS[name](ttl=ttl).close()
    SAVERS[name](ttl=ttl, refresh_on_read=True).close()


def test_the_official_redis_saver_counts_in_minutes() -> None:
    with lgckpt.RedisSaver("redis://localhost", ttl={"default_ttl": 0.5}) as saver:
        assert saver._handle.storage._space.ttl_ms == 30_000
    with lgckpt.RedisSaver("redis://localhost", ttl={"default_ttl": None}) as saver:
        assert saver._handle.storage._space.ttl_ms == 0


def test_a_url_takes_one_too() -> None:
    with pytest.raises(ConfigurationError, match="a ttl is"):
        lgckpt.from_url("sqlite:///:memory:", ttl=-1)
    lgckpt.from_url("sqlite:///:memory:", ttl=60, refresh_on_read=True).close()
