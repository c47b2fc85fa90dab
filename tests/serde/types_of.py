"""The classes that the tests pack: at module level, so that they can be found again."""

from __future__ import annotations

import dataclasses
import enum
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import pydantic

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Name(str, enum.Enum):
    ANN = "ann"


class Flags(enum.Flag):
    A = 1
    B = 2


class DictEnum(enum.Enum):
    """Its members look like pydantic v1 models to LangGraph."""

    ONE = 1

    def dict(self) -> Any:
        return {"value": 1}


class Str(str):
    __slots__ = ()


class Int(int):
    pass


class Float(float):
    pass


class Bytes(bytes):
    pass


class List(list):
    pass


class Dict(dict):
    pass


class Tuple(tuple):
    __slots__ = ()


class Set(set):
    pass


Point = namedtuple("Point", ["x", "y"])


class Typed(NamedTuple):
    a: int
    b: str = "b"


@dataclasses.dataclass
class Plain:
    a: int
    b: str
    c: Any = None


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()


@dataclasses.dataclass(slots=True)
class Slots:
    a: int
    b: list[int] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlots:
    a: int
    b: Any = None


@dataclasses.dataclass(kw_only=True)
class KwOnly:
    a: int
    b: int = dataclasses.field(kw_only=False)


@dataclasses.dataclass
class Mixed(Plain):
    d: float = 1.5
    e: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class PostInit:
    a: int
    b: int = 0

    def __post_init__(self) -> None:
        self.b = self.a * 2


@dataclasses.dataclass
class WithInitVar:
    a: int
    scale: dataclasses.InitVar[int] = 1

    def __post_init__(self, scale: int) -> None:
        self.a = self.a * scale


@dataclasses.dataclass
class NotInit:
    a: int
    b: int = dataclasses.field(default=5, init=False)


@dataclasses.dataclass
class ClassVars:
    a: int
    shared: ClassVar[int] = 3


@dataclasses.dataclass(init=False)
class OwnInit:
    a: int

    def __init__(self, a: int = 0, **kwargs: Any) -> None:
        self.a = a + 1


@dataclasses.dataclass
class SetAttr:
    a: int

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value * 2)


@dataclasses.dataclass
class GetAttr:
    a: int

    def __getattr__(self, name: str) -> Any:
        if name == "dict":
            return lambda: {"a": "from dict"}
        raise AttributeError(name)


@dataclasses.dataclass
class LikeSend:
    node: str
    arg: Any


@dataclasses.dataclass(eq=False)
class LikeSendHashable:
    node: str
    arg: Any


@dataclasses.dataclass
class FieldNamedDict:
    dict: Any


@dataclasses.dataclass
class Prop:
    a: int

    @property
    def double(self) -> int:
        return self.a * 2


@dataclasses.dataclass
class GenericData(Generic[T]):
    value: T


class Undecorated(Plain):
    pass


@pydantic.dataclasses.dataclass
class PydanticData:
    a: int
    b: str = "b"


class V1Like:
    """What LangGraph takes for a pydantic v1 model."""

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs

    def dict(self) -> dict[str, Any]:
        return self.kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, V1Like) and other.kwargs == self.kwargs

    __hash__ = None  # type: ignore[assignment]


class SecretLike:
    def __init__(self, value: Any) -> None:
        self.value = value

    def get_secret_value(self) -> Any:
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretLike) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


class Opaque:
    """Nothing knows how to pack it."""


def ordered() -> OrderedDict[str, int]:
    result: OrderedDict[str, int] = OrderedDict(a=1, b=2, c=3)
    result.move_to_end("a")
    return result


def generator() -> Iterator[int]:
    yield 1
