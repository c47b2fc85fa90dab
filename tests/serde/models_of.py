"""The pydantic models that the tests pack: at module level, so that they can be found again."""

from __future__ import annotations

import datetime
import decimal
import pathlib
import uuid
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, computed_field
from typing_extensions import TypedDict

from .types_of import Color, Plain

T = TypeVar("T")


class Flat(BaseModel):
    a: int
    b: str
    c: float = 1.5
    d: bool = False
    e: str | None = None


class Nested(BaseModel):
    flat: Flat
    maybe: Flat | None = None
    many: list[Flat] = []
    by_name: dict[str, Flat] = {}


class Rich(BaseModel):
    when: datetime.datetime
    day: datetime.date
    span: datetime.timedelta
    id: uuid.UUID
    amount: decimal.Decimal
    color: Color
    names: set[str]
    pair: tuple[int, str]
    anything: Any
    raw: bytes
    path: pathlib.Path
    moment: datetime.time


class Aliased(BaseModel):
    a: int = Field(alias="alpha")


class ByAlias(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True, populate_by_name=True)
    a: int = Field(alias="alpha")


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


class Forbid(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Computed(BaseModel):
    a: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.a * 2


class FieldSer(BaseModel):
    a: int

    @pydantic.field_serializer("a")
    def _write(self, value: int) -> str:
        return str(value)


class ModelSer(BaseModel):
    a: int

    @pydantic.model_serializer
    def _write(self) -> dict[str, Any]:
        return {"a": self.a + 1}


class WrapSer(BaseModel):
    a: int

    @pydantic.model_serializer(mode="wrap")
    def _write(self, handler: Any) -> dict[str, Any]:
        return {**handler(self), "extra": 1}


class DumpOverride(BaseModel):
    a: int

    def model_dump(self, **kwargs: Any) -> dict[str, Any]:
        return {"a": self.a * 10}


class Private(BaseModel):
    a: int
    _secret: int = PrivateAttr(default=3)


class PostInitModel(BaseModel):
    a: int
    b: int = 0

    def model_post_init(self, context: Any, /) -> None:
        self.b = self.a * 2


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)
    a: int


class StrictModel(BaseModel):
    model_config = ConfigDict(strict=True)
    a: int
    when: datetime.datetime


class Before(BaseModel):
    a: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        return {**values, "a": values["a"] + 1}


class After(BaseModel):
    a: int

    @pydantic.model_validator(mode="after")
    def _check(self) -> After:
        object.__setattr__(self, "a", self.a + 100)
        return self


class FieldVal(BaseModel):
    a: int

    @pydantic.field_validator("a")
    @classmethod
    def _check(cls, value: int) -> int:
        return value + 1


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, str_to_lower=True)
    a: str


class Constrained(BaseModel):
    a: Annotated[int, Field(gt=0)]
    b: Annotated[str, Field(max_length=3)]


class Excluded(BaseModel):
    a: int
    b: int = Field(default=2, exclude=True)


class ExcludedIf(BaseModel):
    a: int
    b: Annotated[int, Field(exclude_if=lambda value: value == 0)] = 0


class Unions(BaseModel):
    a: int | str
    b: int | float | None = None
    c: list[int] | dict[str, int] | str = ""
    d: str | bytes = ""


class LeftToRight(BaseModel):
    a: Annotated[int | str, Field(union_mode="left_to_right")]


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str = "rex"


class Zoo(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pets: list[Cat | Dog] = []


class Movie(TypedDict, total=False):
    title: str
    year: int


class Shelf(BaseModel):
    movie: Movie
    movies: list[Movie] = []


class Cage(TypedDict):
    cat: Cat
    cats: dict[str, list[Cat]]


class Cages(BaseModel):
    cage: Cage


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


class Box(BaseModel, Generic[T]):
    value: T


class Cached(BaseModel):
    a: int

    @cached_property
    def double(self) -> int:
        return self.a * 2


class Root(pydantic.RootModel[list[int]]):
    pass


class OwnInitModel(BaseModel):
    a: int

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "a": kwargs["a"] + 1})


class OwnNew(BaseModel):
    a: int

    def __new__(cls, *args: Any, **kwargs: Any) -> OwnNew:
        self = super().__new__(cls)
        object.__setattr__(self, "__pydantic_private__", None)
        return self


class Child(Flat):
    f: int = 1


class HoldsDataclass(BaseModel):
    plain: Plain
    anything: Any = None


class UseEnumValues(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    color: Color


class Defaults(BaseModel):
    a: list[int] = Field(default_factory=list)
    b: int = 5
    c: Color = Color.RED


class Secret(BaseModel):
    key: pydantic.SecretStr


class ValidatedAssign(BaseModel):
    model_config = ConfigDict(validate_assignment=True)
    a: int


class GetAttrModel(BaseModel):
    a: int

    def __getattribute__(self, name: str) -> Any:
        if name == "model_dump":
            return lambda: {"a": "hooked"}
        return super().__getattribute__(name)


def cached() -> Cached:
    """A model that keeps a value outside its fields."""
    model = Cached(a=1)
    assert model.double == 2
    return model
