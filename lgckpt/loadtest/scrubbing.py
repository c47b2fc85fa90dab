"""Values made unreadable: the same shape, size and repetitions, and none of the words."""

from __future__ import annotations

import dataclasses
import secrets
import string
from collections.abc import Mapping
from enum import Enum
from typing import Any

import xxhash
from pydantic import BaseModel

KEPT = frozenset({"type", "role", "example"})
"""Fields of messages and of content blocks that say of what kind they are."""

_SHORT = 16
_LETTERS = (0x00F8, 0x0905, 0x20000)
_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase


class Scrubber:
    """Replaces every text, number and byte string by another of the same length.

    What is equal stays equal, so that what a saver can share, it can share still; a random key that
    is kept nowhere decides what becomes of what. Times, booleans and the names of fields stay.
    """

    def __init__(self) -> None:
        self._key = secrets.randbits(64)

    def text(self, found: str) -> str:
        """A text: letters for letters, digits for digits, all else as it is."""
        # By words, so that it compresses about as well as it did.
        return "".join(self._word(part) for part in _words(found))

    def _word(self, word: str) -> str:
        state = xxhash.xxh3_128_intdigest(word.encode("utf-8", "surrogatepass"), self._key)
        made = []
        for place, char in enumerate(word):
            if place and place % _SHORT == 0:
                state = xxhash.xxh3_128_intdigest(state.to_bytes(16, "big"), self._key)
            pick = (state >> (place % _SHORT * 8)) & 0xFF
            made.append(_other(char, pick))
        return "".join(made)

    def value(self, found: Any) -> Any:
        """A value of any kind."""
        if isinstance(found, bool) or found is None or isinstance(found, Enum):
            return found
        if isinstance(found, str):
            return self.text(found)
        if isinstance(found, (int, float)):
            return self._number(found)
        if isinstance(found, (bytes, bytearray)):
            return type(found)(self._bytes(bytes(found)))
        return self._container(found)

    def _container(self, found: Any) -> Any:
        if isinstance(found, Mapping):
            made = {k: v if k in KEPT else self.value(v) for k, v in found.items()}
            return made if type(found) is dict else self._made(found, made)
        if isinstance(found, tuple) and hasattr(found, "_fields"):
            return type(found)(*(self.value(one) for one in found))
        if isinstance(found, (list, tuple, set, frozenset)):
            return self._made(found, [self.value(one) for one in found])
        return self._object(found)

    def _object(self, found: Any) -> Any:
        if isinstance(found, BaseModel):
            return self._model(found)
        if dataclasses.is_dataclass(found) and not isinstance(found, type):
            fields = {
                one.name: self.value(getattr(found, one.name))
                for one in dataclasses.fields(found)
                if one.init
            }
            return dataclasses.replace(found, **fields)
        if type(found).__module__ in ("datetime", "zoneinfo"):
            return found
        # Nothing is known of it, so nothing of it is kept but how much there was to say.
        return self.text(str(found))

    @staticmethod
    def _made(like: Any, parts: Any) -> Any:
        try:
            return type(like)(parts)
        except (TypeError, ValueError):
            return parts

    def _model(self, found: BaseModel) -> BaseModel:
        fields = {
            name: value if name in KEPT else self.value(value)
            for name, value in (*found.__dict__.items(), *(found.__pydantic_extra__ or {}).items())
        }
        return found.model_copy(update=fields)

    def _number(self, found: int | float) -> int | float:
        if isinstance(found, float):
            state = xxhash.xxh3_64_intdigest(repr(found).encode(), self._key)
            return found * (0.5 + state / 2**64)
        made = int("".join(_digit(c, p) for p, c in enumerate(self._word(str(abs(found))))))
        return -made if found < 0 else made

    def _bytes(self, found: bytes) -> bytes:
        state = xxhash.xxh3_64_intdigest(found, self._key)
        return bytes((byte + (state >> (place % 8 * 8))) & 0xFF for place, byte in enumerate(found))


def _words(text: str) -> list[str]:
    parts: list[str] = []
    for char in text:
        if parts and char.isalnum() and parts[-1][-1].isalnum():
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _digit(char: str, place: int) -> str:
    # A number keeps its length, so it does not begin with nothing.
    return "1" if place == 0 and char == "0" else char


def _other(char: str, pick: int) -> str:
    if char.isascii():
        if char.isdigit():
            return string.digits[pick % 10]
        if char.islower():
            return _LOWER[pick % 26]
        return _UPPER[pick % 26] if char.isupper() else char
    if not char.isalnum():
        return char
    # A letter of the same number of bytes.
    return chr(_LETTERS[len(char.encode()) - 2] + pick % 23)
