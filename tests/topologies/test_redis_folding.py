"""Arguments of a script folded into a few: taken apart, they are what they were."""

from __future__ import annotations

import pytest
import redis

import lgckpt
from lgckpt.backends import redis_folding
from lgckpt.backends.redis_folding import fold
from tests.checkpoints import checkpoint, config
from tests.services.redis_rows import shared_url

ITEMS = [b"", b"a", b"\0" * 300, b"", b"b" * 70_000, bytes(range(256)), b""]

APART = """
local items = {}
for i = 1, #ARGV do
  local at = 1
  while at <= #ARGV[i] do
    items[#items + 1], at = struct.unpack('>I8c0', ARGV[i], at)
  end
end
return items
"""


@pytest.mark.parametrize("most", [0, 10, 400, 16 * 1024 * 1024])
def test_a_server_takes_them_apart(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(redis_folding, "MOST", most)
    folded = fold(ITEMS)
    assert all(len(one) <= most + 8 * len(ITEMS) + 70_000 for one in folded)
    with redis.Redis.from_url(shared_url()) as client:
        assert client.eval(APART, 0, *folded) == ITEMS


def test_what_fills_several_arguments_is_stored_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_folding, "MOST", 1000)
    values = {"messages": [f"message {i} " * 9 for i in range(400)], "empty": "", "n": 1}
    made = checkpoint(values)
    with lgckpt.RedisSaver(shared_url()) as saver:
        where = saver.put(config("folded"), made, {"source": "loop"}, dict.fromkeys(values, 1))
        saver.put_writes(where, [("n", 2), ("messages", values["messages"])], "task")
        found = saver.get_tuple(where)
        assert found is not None
        assert found.checkpoint["channel_values"] == values
        assert found.pending_writes == [("task", "n", 2), ("task", "messages", values["messages"])]
        saver.delete_thread("folded")
