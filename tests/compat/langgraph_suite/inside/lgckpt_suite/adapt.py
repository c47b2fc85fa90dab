"""The suite's own saver classes that look inside `InMemorySaver`, made to work on ours.

Each adaptation keeps what the class is there to show; the reason is beside it.
"""

import asyncio
import sys
from collections import defaultdict
from typing import Any

import langgraph.checkpoint.memory
from langgraph.checkpoint.base import BaseCheckpointSaver


def adapt_loaded() -> list[str]:
    """Adapt the classes of those of the suite's modules that are imported; says what it did."""
    done = []
    for module, adapt in _ADAPTATIONS.items():
        if module in sys.modules:
            adapt(sys.modules[module])
            done.append(f"{module}: {' '.join(str(adapt.__doc__).split())}")
    return done


def _assert_immutable(module: Any) -> None:
    """`MemorySaverAssertImmutable` checks that nobody changed a saved checkpoint.

    Its constructor stores in a `PersistentDict`, an argument of the official saver alone,
    and its check is in `put` alone, because the official `aput` calls `put` and ours
    need not.
    """
    cls = module.MemorySaverAssertImmutable

    def construct(self: Any, *, serde: Any = None, put_sleep: float | None = None) -> None:
        super(cls, self).__init__(serde=serde)
        self.storage_for_copies = defaultdict(lambda: defaultdict(dict))
        self.put_sleep = put_sleep

    async def aput(
        self: Any, config: Any, checkpoint: Any, metadata: Any, new_versions: Any
    ) -> Any:
        if self.put_sleep:
            await asyncio.sleep(self.put_sleep)
        copies = self.storage_for_copies[config["configurable"]["thread_id"]]
        copies = copies[config["configurable"]["checkpoint_ns"]]
        if saved := await super(cls, self).aget(config):
            assert self.serde.loads_typed(copies[saved["id"]]) == saved
        stored = await super(cls, self).aput(config, checkpoint, metadata, new_versions)
        copies[checkpoint["id"]] = self.serde.dumps_typed(await super(cls, self).aget(stored))
        return stored

    cls.__init__ = construct
    cls.aput = aput


def _third_party(module: Any) -> None:
    """`_ThirdPartyStyleSaver` inherits the base class's history walk.

    It takes it from `InMemorySaver.__mro__[1]`, which is the base class for the official
    saver alone.
    """
    cls = module._ThirdPartyStyleSaver
    cls.get_delta_channel_history = BaseCheckpointSaver.get_delta_channel_history
    cls.aget_delta_channel_history = BaseCheckpointSaver.aget_delta_channel_history


def _task_path_order(module: Any) -> None:
    """`_TaskPathOrderSaver` gives pending writes in the order of their task paths.

    It reads the paths from the official saver's `writes`; ours gives that order by itself.
    """
    module._TaskPathOrderSaver.get_tuple = langgraph.checkpoint.memory.InMemorySaver.get_tuple


def _history_request(module: Any) -> None:
    """`_HistoryRequestSaver` notes the channels whose history is asked for.

    It does so in the sync method alone, because the official async one calls it and ours
    need not.
    """
    cls = module._HistoryRequestSaver

    async def aget_delta_channel_history(self: Any, *, config: Any, channels: Any) -> Any:
        self.requested.append(sorted(channels))
        found = super(cls, self).aget_delta_channel_history(config=config, channels=channels)
        return await found

    cls.aget_delta_channel_history = aget_delta_channel_history


_ADAPTATIONS = {
    "tests.memory_assert": _assert_immutable,
    "tests.test_delta_channel_migration": _third_party,
    "tests.test_delta_channel_supersteps_bound": _history_request,
    "tests.test_delta_channel_update_state": _task_path_order,
}
