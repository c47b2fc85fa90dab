"""`Serializer`: LangGraph's serializer contract over the compiled core, with compression."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any, Literal

from langgraph.checkpoint.serde import _msgpack as _rules
from langgraph.checkpoint.serde import event_hooks, jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from lgckpt import core as _implementation
from lgckpt._serde import langgraph as host
from lgckpt.errors import ConfigurationError, DecodeError, EncodeError

Codec = Literal["lz4", "zstd"]
Allowlist = Iterable["tuple[str, ...] | type"]

CODECS: tuple[Codec, ...] = ("lz4", "zstd")
MIN_SIZE = 256
"""Payloads of fewer bytes are not compressed."""

ROW_TAGS = frozenset({"msgpack", "null", "bytes"})
"""What values of a row are tagged that `dumps_row` carries on."""

_encoders: dict[str, Any] = {}


def _encoder(core: Any) -> Any:
    """The one encoder of an implementation."""
    name = core.__name__
    if name not in _encoders:

        def nested(value: Any) -> bytes:
            packed: bytes = _encoders[name].encode(value)
            return packed

        default = host.default_over(nested, core.PackedExt)
        _encoders[name] = core.ObjectEncoder(default, native=host.ENCODER_KNOWN)
    return _encoders[name]


class Serializer(JsonPlusSerializer):
    """Packs what LangGraph keeps, into the bytes that `JsonPlusSerializer` writes and reads.

    Where LangGraph's own class would ignore trailing bytes, turn an object it cannot describe into
    None, or recurse without bound, this one raises `DecodeError` or `EncodeError`.

    Args:
        compression: `"lz4"` or `"zstd"` to compress payloads; their tag gets a suffix, as in
            `msgpack.lz4`. Whatever is set here, every tag is read.
        min_size: Payloads of fewer bytes stay plain, as do those that do not shrink.
        pickle_fallback: Pickle what msgpack has no form for.
        allowed_json_modules: Constructors allowed in values of the old `json` tag.
        allowed_msgpack_modules: Classes allowed in msgpack values: `True` for all (with a warning
            for each), None for LangGraph's safe ones, or `(module, name)` pairs or classes.
            LangGraph's default unless set.
        __unpack_ext_hook__: Called with the code and the bytes of each msgpack extension, instead
            of all the above.

    Raises:
        ConfigurationError: There is no such compression.
    """

    def __init__(
        self,
        compression: Codec | None = None,
        *,
        min_size: int = MIN_SIZE,
        pickle_fallback: bool = False,
        allowed_json_modules: Iterable[tuple[str, ...]] | Literal[True] | None = None,
        allowed_msgpack_modules: Allowlist | Literal[True] | None = _rules._SENTINEL,
        __unpack_ext_hook__: Callable[[int, bytes], Any] | None = None,
    ) -> None:
        if compression is not None and compression not in CODECS:
            raise ConfigurationError(f"compression is 'lz4', 'zstd' or None, not {compression!r}")
        super().__init__(
            pickle_fallback=pickle_fallback,
            allowed_json_modules=allowed_json_modules,
            allowed_msgpack_modules=allowed_msgpack_modules,
            __unpack_ext_hook__=__unpack_ext_hook__,
        )
        self.compression = compression
        self.min_size = min_size
        self._core: Any = _implementation.core
        encoder = _encoder(self._core)
        self._encode: Callable[[Any], bytes] = encoder.encode
        self._encode_row: Callable[..., Any] | None = getattr(encoder, "row", None)
        self._encode_tree: Callable[[Any, Any, int], Any] | None = getattr(encoder, "tree", None)
        # With the hook it was made for: `with_msgpack_allowlist` gives its copy another one.
        self._decoder: tuple[Any, Callable[[Any], Any], Callable[..., Any]] | None = None

    def dumps_plain(self, obj: Any) -> tuple[str, bytes]:
        """Serialize without compression.

        Args:
            obj: The value.

        Returns:
            Its tag, without a suffix, and its bytes, which nobody can change.

        Raises:
            EncodeError: The value cannot be packed.
        """
        tag, data = self._dumps(obj)
        return tag, data if type(data) is bytes else bytes(data)

    def dumps_tree(self, obj: Any, earlier: Any, least: int = 0) -> Any:
        """Serialize a list and split it, sparing what is proved unchanged since an earlier one.

        The bytes are those of `dumps_plain`. An element is not packed again where what the earlier
        tree remembers shows that it is made of the same unchangeable objects in the same shape;
        whatever else guards the native path guards this too.

        Args:
            obj: The value.
            earlier: The chunk tree of the channel's last value.
            least: How many bytes that one must have for each element of this one.

        Returns:
            Its chunk tree, or None: where little can be spared, and from the pure Python core,
            which packs every value afresh.

        Raises:
            EncodeError: The value cannot be packed.
        """
        if type(obj) is not list or self._encode_tree is None or host.is_patched():
            return None
        if type(earlier) is not self._core.Tree:
            return None
        try:
            return self._encode_tree(obj, earlier, least)
        except EncodeError:
            if not self.pickle_fallback:
                raise
            return None

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Serialize, and compress if that was asked for and helps.

        Args:
            obj: The value.

        Returns:
            Its tag and its bytes.

        Raises:
            EncodeError: The value cannot be packed.
        """
        tag, data = self._dumps(obj)
        if self.compression is None or len(data) < self.min_size:
            return tag, data
        packed: bytes = self._core.compress(bytes(data), self.compression)
        return (f"{tag}.{self.compression}", packed) if len(packed) < len(data) else (tag, data)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Deserialize what any configuration of this class, or `JsonPlusSerializer`, wrote.

        Args:
            data: A tag and its bytes.

        Returns:
            The value.

        Raises:
            DecodeError: The bytes are not one value, and nothing else.
            NotImplementedError: The tag is not known, or needs `pickle_fallback`.
        """
        tag, content = data
        if tag == "msgpack":
            return self._unpack(content)
        base, dot, codec = tag.rpartition(".")
        if dot and codec in CODECS:
            return self.loads_typed((base, self._core.decompress(content, codec)))
        try:
            return super().loads_typed((tag, content))
        except RecursionError as error:
            if tag != "json":
                raise
            raise DecodeError("json nested too deeply") from error

    def dumps_row(
        self,
        checkpoint: Any,
        metadata: Any,
        new_versions: Any,
        parent: Any,
        rules: tuple[str | None, int, int, bool],
    ) -> Any:
        """Make a checkpoint row in one call, where all its values are small.

        Args:
            checkpoint: The checkpoint.
            metadata: Its metadata.
            new_versions: The channels whose values are taken from it.
            parent: What a call for the parent gave to remember, if there was one.
            rules: `Packer.rules`.

        Returns:
            What `lgckpt._core.ObjectEncoder.row` gives, or None: the pure Python core has no
            such path, and leaves every row to `lgckpt.drafting`.
        """
        if self._encode_row is None or host.is_patched():
            return None
        try:
            return self._encode_row(checkpoint, metadata, new_versions, parent, rules)
        except EncodeError:
            return None

    def inline_state(
        self, versions: dict[str, Any], values: Iterable[tuple[str, str, bytes]]
    ) -> Any:
        """What a call of `dumps_row` would give to remember of a row made elsewhere.

        Args:
            versions: The checkpoint's `channel_versions`.
            values: The channel, the tag and the bytes of each value of the row.

        Returns:
            It, or None where there is no such path or a value of another kind.
        """
        values = list(values)
        if self._encode_row is None or any(tag not in ROW_TAGS for _, tag, _ in values):
            return None
        return self._core.ObjectEncoder.inline(versions, values)

    def loads_row(self, state: bytes, metadata: bytes) -> tuple[Any, Any] | None:
        """Read a checkpoint row in one call, where all its values are small.

        Args:
            state: The row's state.
            metadata: The row's metadata.

        Returns:
            The checkpoint with its values, and the metadata; None where `lgckpt.reading` has to
            read it, damaged rows among them.
        """
        found: tuple[Any, Any] | None = self._decoders()[2](state, metadata)
        return found

    def _dumps(self, obj: Any) -> tuple[str, bytes]:
        if obj is None or isinstance(obj, (bytes, bytearray)) or host.is_patched():
            return super().dumps_typed(obj)
        if not self.pickle_fallback:
            return "msgpack", self._encode(obj)
        try:
            return "msgpack", self._encode(obj)
        except EncodeError:
            return "pickle", pickle.dumps(obj)

    def _unpack(self, content: bytes) -> Any:
        return self._decoders()[1](content)

    def _decoders(self) -> tuple[Any, Callable[[Any], Any], Callable[..., Any]]:
        found = self._decoder
        if found is None or found[0] is not self._unpack_ext_hook:
            found = self._decoder = (self._unpack_ext_hook, *self._make_decoders())
        return found

    def _make_decoders(self) -> tuple[Callable[[Any], Any], Callable[..., Any]]:
        core, hook = self._core, self._unpack_ext_hook
        if self._custom_unpack_ext_hook or not host.is_langgraph_hook(hook):
            return lambda content: core.decode(content, hook), _no_row
        allowed = self._allowed_msgpack_modules
        decoder = core.ObjectDecoder(
            host.rebuild_over(hook),
            jsonplus._reconstruction_fallback,
            _DeltaSnapshot,
            native=host.HOOK_KNOWN,
            permissive=allowed is True,
            allowed=allowed if isinstance(allowed, set) else None,
        )
        decode, decode_row = decoder.decode, getattr(decoder, "row", _no_row)

        def unpack(content: Any) -> Any:
            return decode(
                content,
                _rules.SAFE_MSGPACK_TYPES,
                jsonplus._warned_unregistered_types,
                event_hooks._listeners,
            )

        def unpack_row(state: bytes, metadata: bytes) -> Any:
            return decode_row(
                state,
                metadata,
                _rules.SAFE_MSGPACK_TYPES,
                jsonplus._warned_unregistered_types,
                event_hooks._listeners,
            )

        return unpack, unpack_row


def _no_row(*_: Any) -> None:
    """Stands for reading a row in one call where there is no such path."""


__all__ = ["CODECS", "MIN_SIZE", "Serializer"]
