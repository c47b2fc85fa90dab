"""What a Redis saver of the tests' server holds, read and changed behind its back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

import lgckpt
from lgckpt.backends.redis import RedisStorage
from lgckpt.backends.redis_keys import SHARDS, registry_keys, split_place, thread_keys, unescape
from lgckpt.backends.redis_rows import pack_head, pack_write, unpack_row, unpack_write
from lgckpt.rows import CheckpointKey, CheckpointRow, WriteRow
from lgckpt.saver import Saver
from tests.services.valkey import shared_url


@contextmanager
def client_of(storage: RedisStorage) -> Iterator[tuple[redis.Redis, str]]:
    """A client of the tests' own, and the storage's key prefix."""
    with redis.Redis.from_url(shared_url()) as client:
        yield client, storage._space.prefix


@contextmanager
def neighbour(saver: Saver, **options: Any) -> Iterator[Saver]:
    """Another saver on the same keys."""
    prefix = saver._handle.storage._space.prefix
    with lgckpt.RedisSaver(shared_url(), prefix=prefix, **options) as other:
        yield other


def threads(client: redis.Redis, prefix: str) -> list[str]:
    """All threads that are registered and there."""
    found = []
    for shard in range(SHARDS):
        entries = client.zrange(registry_keys(prefix, "threads", shard).entries, 0, -1)
        found += [unescape(entry) for entry in entries]
    return [one for one in found if client.exists(thread_keys(prefix, one).data)]


def rows(client: redis.Redis, prefix: str, thread_id: str) -> list[CheckpointRow]:
    """All rows of a thread, hidden ones too."""
    data = client.hgetall(thread_keys(prefix, thread_id).data)
    heads = {field[1:]: head for field, head in data.items() if field[:1] == b"h"}
    return [
        unpack_row(CheckpointKey(thread_id, *split_place(name)), head, data[b"s" + name])
        for name, head in heads.items()
    ]


def writes(client: redis.Redis, prefix: str, thread_id: str) -> list[WriteRow]:
    """All pending writes of a thread."""
    data = client.hgetall(thread_keys(prefix, thread_id).data)
    return [unpack_write(thread_id, f, v) for f, v in data.items() if f[:1] == b"w"]


def chunks(client: redis.Redis, prefix: str, thread_id: str) -> dict[bytes, bytes]:
    """All chunks of a thread."""
    found = client.hgetall(thread_keys(prefix, thread_id).chunks)
    found.pop(b"e", None)
    return found


def drop_chunks(storage: RedisStorage, thread_id: str) -> None:
    """Lose the chunks of a thread, as only damage can."""
    with client_of(storage) as (client, prefix):
        names = chunks(client, prefix, thread_id)
        client.hdel(thread_keys(prefix, thread_id).chunks, *names)


def damage(saver: Saver, table: str, column: str, change: Callable[[bytes], bytes]) -> None:
    """See `tests.backends.Backend.damage`."""
    with client_of(saver._handle.storage) as (client, prefix):
        for thread_id in threads(client, prefix):
            keys = thread_keys(prefix, thread_id)
            if table == "chunks":
                for name, frame in chunks(client, prefix, thread_id).items():
                    client.hset(keys.chunks, name, change(frame))
                continue
            data = client.hgetall(keys.data)
            for field, value in data.items():
                if table == "writes" and field[:1] == b"w":
                    write = unpack_write(thread_id, field, value)
                    changed = write._replace(**{column: change(getattr(write, column))})
                    client.hset(keys.data, field, pack_write(changed))
                elif table == "checkpoints" and field[:1] == b"h":
                    name = field[1:]
                    key = CheckpointKey(thread_id, *split_place(name))
                    row = unpack_row(key, value, data[b"s" + name])
                    row = row._replace(**{column: change(getattr(row, column))})
                    client.hset(keys.data, field, pack_head(row))
                    client.hset(keys.data, b"s" + name, row.state)
