"""The compiled core. `lgckpt._fallback` has the same functions in pure Python."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import ModuleType
from typing import Any, Literal, final, type_check_only

__all__ = [
    "BUILD_PROFILE",
    "Known",
    "ObjectDecoder",
    "ObjectEncoder",
    "PackedExt",
    "Tree",
    "__version__",
    "adopt_channel",
    "apply_writes",
    "assemble",
    "channel_values",
    "children",
    "compress",
    "count_versions",
    "decode",
    "decompress",
    "encode",
    "etag",
    "hash_chunk",
    "next_version",
    "open_root",
    "restore_channels",
    "seal",
    "seal_leaf",
    "seal_root",
    "sound",
    "triggers",
    "unseal",
    "uuid6",
]

__version__: str
BUILD_PROFILE: Literal["release", "debug", "pure"]

def count_versions(function: Callable[..., Any]) -> None:
    """Have a function known that gives what `next_version` gives.

    `apply_writes` does not call it then, whichever saver it is a bound method of.

    Args:
        function: The function, not bound.

    Raises:
        ValueError: Too many are known already.
    """

def next_version(current: object) -> str | None:
    """The version after another, as LangGraph's savers make them.

    Args:
        current: A version; None before the first one.

    Returns:
        32 digits, a dot, and what `random.random()` gives; None if it takes Python to read
        `current`.
    """

def uuid6(module: ModuleType, step: int) -> str | None:
    """The text of what LangGraph's `uuid6(clock_seq=step)` gives.

    Args:
        module: `langgraph.checkpoint.base.id`, whose clock goes on.
        step: The number of the step.

    Returns:
        It; None for a clock or a step that takes Python to read.
    """

def adopt_channel(name: str, theirs: type[Any], ours: type[Any]) -> bool:
    """Give a subclass of one of LangGraph's channel classes its native methods.

    Args:
        name: Of the kind, as LangGraph names its class.
        theirs: LangGraph's class.
        ours: A subclass of it that adds no slot.

    Returns:
        Whether it has them now; not for a class that is laid out as no native method expects.
    """

def apply_writes(
    checkpoint: Any,
    channels: Any,
    tasks: list[Any],
    get_next_version: Callable[[Any, None], Any] | None,
    trigger_to_nodes: Any,
) -> set[str] | None:
    """Apply the writes of a step's tasks, as LangGraph's function of that name.

    Args:
        checkpoint: The checkpoint whose versions are updated.
        channels: The channels that are updated.
        tasks: The tasks, in any order.
        get_next_version: Gives the version after the highest.
        trigger_to_nodes: A mapping from the channels that trigger nodes.

    Returns:
        The names of the updated channels; None, with nothing changed, where LangGraph's own
        function has to do it.
    """

def channel_values(
    channels: dict[str, Any], versions: dict[str, Any], before: Any
) -> dict[str, Any] | None:
    """The checkpoints of the channels that have a version and hold anything, by name.

    Args:
        channels: The channels, by name.
        versions: Their versions.
        before: The `channel_values` of the last checkpoint, as a hint; they are not changed.

    Returns:
        They; None, from the pure Python core, where LangGraph's own function has to do it.
    """

def restore_channels(
    specs: dict[str, Any], values: dict[str, Any], versions: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Make channels as a checkpoint has them.

    Args:
        specs: Channels of the graph, by name.
        values: The checkpoint's `channel_values`.
        versions: Its `channel_versions`.

    Returns:
        The channels, and the names of those that LangGraph's own function has to make.
    """

def triggers(channels: Any, versions: Any, seen: Any, null_version: Any, proc: Any) -> bool | None:
    """Whether a channel that triggers the node is available in a version it has not seen.

    Args:
        channels: The channels, by name.
        versions: Their versions.
        seen: The versions the node has seen; None for a node that never ran.
        null_version: What is below every version.
        proc: The node: what has `triggers`.

    Returns:
        It; None, from the pure Python core, where LangGraph's own function has to do it.
    """

def seal(data: bytes, codec: str | None) -> bytes:
    """Seal one storage frame; compressed only if that makes it shorter.

    Args:
        data: The plain bytes.
        codec: "lz4", "zstd", or None for no compression.

    Raises:
        ConfigurationError: There is no such codec.
    """

def unseal(frame: bytes, max_len: int = ...) -> bytes:
    """Read one storage frame.

    Args:
        frame: The whole frame.
        max_len: The most plain bytes to accept; 2 GiB unless told.

    Raises:
        FrameError: It is damaged, or claims more than `max_len` or than its payload can hold.
        UnsupportedFormatError: A newer release wrote it; the message names the version.
    """

def compress(data: bytes, codec: str) -> bytes:
    """Compress to one standard LZ4 or zstd frame that names its content's size.

    Raises:
        ConfigurationError: There is no such codec.
    """

def decompress(data: bytes, codec: str, max_len: int = ...) -> bytes:
    """Read a standard LZ4 frame, or standard zstd frames, whoever wrote them.

    Memory is bounded by `max_len` (bytes; 2 GiB unless told) and by what `data` can decompress to.

    Raises:
        DecodeError: It is not one, is damaged or cut short, holds more than `max_len` bytes, or
            other bytes follow it.
        ConfigurationError: There is no such codec.
    """

def hash_chunk(level: int, plain: bytes) -> bytes:
    """The 20-byte key of a chunk: BLAKE2b of its plain bytes, personalised by its level."""

def etag(state: bytes, refs: bytes, metadata: bytes) -> bytes:
    """Eight bytes that change whenever a row's content does: XXH3, which no key is made of.

    Args:
        state: The row's state, a frame.
        refs: Its references.
        metadata: Its metadata, a frame.
    """

def seal_root(
    size: int, head: bytes, refs: bytes, tail: bytes, codec: str | None
) -> tuple[bytes, bytes]:
    """Seal a whole root into a chunk of level 255: its 21-byte reference and its frame.

    Raises:
        FrameError: `refs` are not references.
        ConfigurationError: There is no such codec.
    """

def open_root(frame: bytes) -> tuple[int, bytes, bytes, bytes]:
    """The size, head, refs and tail that `seal_root` sealed.

    Raises:
        FrameError: The frame or what it holds is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """

def seal_leaf(data: bytes, codec: str | None) -> tuple[bytes, bytes]:
    """Seal raw bytes into one chunk of level 0: its 21-byte reference and its frame.

    Raises:
        ConfigurationError: There is no such codec.
    """

def children(level: int, frame: bytes) -> bytes:
    """The 21-byte references that a chunk names; empty for a leaf (level 0).

    Raises:
        FrameError: The frame or what it holds is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """

def sound(
    rows: Sequence[tuple[Any, ...]],
    writes: Sequence[tuple[Any, ...]],
    chunks: Sequence[tuple[Any, ...]],
    claims: Sequence[bytes],
) -> bool:
    """Whether rows are as they were written, and all that they refer to is there and whole.

    True of rows that have their etags and writes whose frames have their checksums, all cells
    being of their types, where every chunk below them has the content it is named for. Who wants
    to know what is wrong, and where, has to look at each.

    Args:
        rows: As `lgckpt.rows.CheckpointRow`.
        writes: As `lgckpt.rows.WriteRow`.
        chunks: Keys and frames.
        claims: Keys of chunks that are taken to be whole, with all below them.
    """

def assemble(
    size: int, head: bytes, refs: bytes, tail: bytes, chunks: Mapping[bytes, bytes]
) -> bytes:
    """Put a value together again: `head`, then what `refs` expand to, then `tail`.

    Args:
        size: The length of the value in bytes.
        head: Its first bytes.
        refs: 21-byte references. One of level 255 stands for the whole value its root describes.
        tail: Its last bytes.
        chunks: Frames by 20-byte key: all that the references lead to; others are not looked at.

    Raises:
        FrameError: A chunk is missing or damaged (the message names it), or they do not add up.
        UnsupportedFormatError: A newer release wrote a chunk.
    """

@final
class Known:
    """A set of the keys of chunks that are thought to be stored.

    Args:
        refs: 21-byte references, of which the keys are taken.

    Raises:
        FrameError: `refs` are not references.
    """

    def __new__(cls, refs: bytes = ...) -> Known: ...
    def __contains__(self, key: bytes, /) -> bool: ...
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int:
        """The memory it holds, in bytes."""

@final
class Tree:
    """A value split into content-addressed chunks and hashed.

    The value is `head`, then what `refs` expand to in order, then `tail`.

    Args:
        data: The value; it is kept, not copied.
        structured: Whether it is msgpack, to be split at element boundaries. Bytes that are not
            are split as one long string.
        earlier: The tree of an earlier value that may have the same leading bytes. The result
            is the same and is there sooner.
    """

    def __new__(cls, data: bytes, structured: bool, earlier: Tree | None = None) -> Tree: ...
    @property
    def data(self) -> bytes:
        """The value, as it was given."""
    @property
    def nbytes(self) -> int:
        """The memory it holds in bytes, the value included."""
    @property
    def proved(self) -> int:
        """How many elements `ObjectEncoder.tree` did not pack, since they had not changed."""
    @property
    def size(self) -> int:
        """The length of the value in bytes."""
    @property
    def head(self) -> bytes:
        """The header of the outermost container, through ext wrappers."""
    @property
    def tail(self) -> bytes:
        """The bytes that no leaf has closed over yet."""
    @property
    def refs(self) -> bytes:
        """21-byte references, a level byte and a 20-byte key each; the levels never rise."""
    def unsent(
        self, known: Sequence[Known], codec: str | None
    ) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """What has still to be stored, and what that relies on.

        Walked from the root down: what is in any of `known` is claimed, and nothing below it is
        walked or sent.

        Returns:
            Keys and frames to store, none before what it names; and claims: the keys that the
            root or a chunk sent names and that are known. No key comes twice.

        Raises:
            ConfigurationError: There is no such codec.
        """
    def known(self) -> Known:
        """The keys of all its chunks."""

def encode(obj: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Pack a value as `ormsgpack.packb` does with the options of `JsonPlusSerializer`.

    Args:
        obj: The value.
        default: Called with each object msgpack has no type for; returns one that it has.

    Raises:
        EncodeError: The value cannot be packed.
    """

def decode(data: Any, ext_hook: Callable[[int, bytes], Any] | None = None) -> Any:
    """Unpack one value.

    Args:
        data: A `bytes`, `bytearray` or C-contiguous `memoryview`.
        ext_hook: Called with the code and the bytes of each extension.

    Raises:
        DecodeError: The bytes are not one value, and nothing else.
    """

@final
@type_check_only
class InlineState:
    """The values of a checkpoint row, all of them in the row, to be carried on by the next."""

    @property
    def versions(self) -> dict[str, Any]:
        """The checkpoint's `channel_versions`."""
    @property
    def nbytes(self) -> int:
        """The memory it holds, in bytes, about."""
    def values(self) -> list[tuple[str, str, bytes]]:
        """The channel, the tag and the bytes of each value, in the order of the row."""

@final
@type_check_only
class BuiltState:
    """The state of a row that stays in this process, told by its parent's."""

    def __len__(self) -> int:
        """The memory it holds, in bytes, about."""
    @property
    def etag(self) -> bytes | None:
        """The etag that the row has for those who read it; None before anybody did."""
    def sealed(self, metadata: bytes) -> tuple[bytes, bytes]:
        """The frame of the state, and the etag of its row.

        Args:
            metadata: The frame of the row's metadata.

        Raises:
            FrameError: The state it is told by is damaged.
        """

@final
class PackedExt:
    """An extension already packed.

    Args:
        code: From 0 to 127.
        data: Its content.
    """

    def __new__(cls, code: int, data: bytes, /) -> PackedExt: ...

@final
class ObjectEncoder:
    """Packs values, objects that LangGraph knows included.

    Args:
        default: LangGraph's own, over this encoder; asked for objects without a native path.
        native: Whether any object may be written natively.
    """

    def __new__(cls, default: Callable[[Any], Any], *, native: bool) -> ObjectEncoder: ...
    def encode(self, value: Any) -> bytes:
        """Pack one value.

        Raises:
            EncodeError: It cannot be packed.
        """
    def tree(self, value: Any, earlier: Tree, least: int = 0) -> Tree | None:
        """Pack a list, and split it, in one call.

        The result is that of `Tree(encode(value), True, earlier)`, and what it remembers besides:
        of which unchangeable objects, in which shape, each element was made. Where `earlier` was
        made here too, elements for which that still holds are not packed again.

        Args:
            value: The value.
            earlier: The tree of an earlier value.
            least: How many bytes the earlier value must have for each element of this one.

        Returns:
            The tree; None for anything but a list of containers and objects, and for one of
            elements that short.

        Raises:
            EncodeError: It cannot be packed.
        """
    def row(
        self,
        checkpoint: Any,
        metadata: Any,
        new_versions: Any,
        parent: InlineState | None,
        rules: tuple[str | None, int, int, bool],
    ) -> tuple[bytes | BuiltState, bytes, bytes, InlineState, bool] | None:
        """Make a checkpoint row, if all its values are small and the parent has those carried on.

        Args:
            checkpoint: The checkpoint with its channel values.
            metadata: Its metadata.
            new_versions: The channels whose values are taken from it.
            parent: What a call for the parent gave to remember.
            rules: The codec ("lz4", "zstd" or None), the longest value that stays in a row and
                that of those carried on, in bytes, and whether the row stays in this process: its
                state may then be told by the parent's.

        Returns:
            The frames of the state and of the metadata, the etag, what to remember, and whether
            there are channels without a new version. None where this path cannot say.

        Raises:
            EncodeError: A value cannot be packed.
        """
    @staticmethod
    def inline(versions: dict[str, Any], values: Sequence[tuple[str, str, bytes]]) -> InlineState:
        """What `row` would give to remember of a row made elsewhere.

        Args:
            versions: The checkpoint's `channel_versions`.
            values: The channel, the tag ("msgpack", "null" or "bytes") and the bytes of each.

        Raises:
            ValueError: There is another tag.
        """

@final
class ObjectDecoder:
    """Unpacks values, objects that LangGraph knows included.

    Args:
        rebuild: LangGraph's own hook, over values already unpacked: given an extension's code and
            its `[module, name, payload, ...]`, it gives the object.
        fallback: LangGraph's `_reconstruction_fallback`.
        delta_snapshot: LangGraph's `_DeltaSnapshot`.
        native: Whether any object may be made without asking `rebuild`.
        permissive: Whether classes outside the lists are allowed once `rebuild` has warned of them.
        allowed: Classes allowed beside the safe ones, as `(module, name)`; None for a list of none.
    """

    def __new__(
        cls,
        rebuild: Callable[[int, Any], Any],
        fallback: Callable[[Any, Exception], Any],
        delta_snapshot: Callable[[Any], Any],
        *,
        native: bool,
        permissive: bool,
        allowed: set[tuple[str, ...]] | None,
    ) -> ObjectDecoder: ...
    def decode(
        self,
        data: Any,
        safe: AbstractSet[tuple[str, ...]],
        warned: AbstractSet[tuple[str, str]],
        listeners: list[Any],
    ) -> Any:
        """Unpack one value.

        Args:
            data: As for `decode` of the module.
            safe: LangGraph's safe classes.
            warned: The classes it has warned of.
            listeners: Who listens to its serde events.

        Raises:
            DecodeError: The bytes are not one value, and nothing else.
        """
    def row(
        self,
        state: bytes,
        metadata: bytes,
        safe: AbstractSet[tuple[str, ...]],
        warned: AbstractSet[tuple[str, str]],
        listeners: list[Any],
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Read a checkpoint row whose values are all small.

        Args:
            state: The frame of the row's state.
            metadata: The frame of its metadata.
            safe: As for `decode`.
            warned: As for `decode`.
            listeners: As for `decode`.

        Returns:
            The checkpoint with its channel values, and the metadata; None for any other row, and
            for a damaged one.
        """
