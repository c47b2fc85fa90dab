"""Pydantic models whose fields pass through serialization and validation unchanged.

A model's core schema is read into a small description of what each value may be: exact types,
literal texts, and lists, dicts, typed dicts and models of such. The compiled core follows it; a
value outside it sends the whole object the general way. Anything in a schema that is not listed
here makes the class `None`: not described.
"""

from __future__ import annotations

import datetime
import decimal
import inspect
import sys
import uuid
from types import MemberDescriptorType
from typing import Any

import ormsgpack
import pydantic
from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import SchemaSerializer, SchemaValidator

from lgckpt._serde import messages

Fields = tuple[list[tuple[str, bytes, bool, Any]], bool]

_LEAVES: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "none": type(None),
    "datetime": datetime.datetime,
    "date": datetime.date,
    "time": datetime.time,
    "timedelta": datetime.timedelta,
    "uuid": uuid.UUID,
    "decimal": decimal.Decimal,
}
_COMMON = {"type", "ref", "metadata"}
# Keys of a schema that do not change how an exact instance is validated.
_HARMLESS = _COMMON | {"strict", "coerce_numbers_to_str"}
_HARMLESS_CONFIG = {
    "title",
    "extra_fields_behavior",
    "frozen",
    "populate_by_name",
    "validate_by_name",
    "loc_by_alias",
    "ser_json_timedelta",
    "ser_json_temporal",
    "ser_json_bytes",
    "ser_json_inf_nan",
    "hide_input_in_errors",
    "validation_error_cause",
    "cache_strings",
    "coerce_numbers_to_str",
    "validate_default",
    "from_attributes",
    "regex_engine",
}
_FIELD_KEYS = {"type", "schema", "metadata", "frozen", "required", "serialization_alias"}
_MODEL_KEYS = _COMMON | {
    "cls",
    "schema",
    "custom_init",
    "root_model",
    "frozen",
    "extra_behavior",
    "config",
    "generic_origin",
    "revalidate_instances",
}
_FIELDS_KEYS = _COMMON | {
    "fields",
    "model_name",
    "computed_fields",
    "extra_behavior",
    "from_attributes",
}
_TYPED_DICT_KEYS = _COMMON | {
    "cls",
    "cls_name",
    "fields",
    "extra_behavior",
    "total",
    "config",
    "computed_fields",
}


class _Undescribedable(Exception):
    """The schema holds something that needs pydantic itself."""


def is_model(cls: type) -> bool:
    """Whether a class is a pydantic v2 model with nothing of its own in the metaclass."""
    return type(cls) is ModelMetaclass and issubclass(cls, pydantic.BaseModel)


def _is_original(function: Any) -> bool:
    code = getattr(function, "__code__", None)
    main = sys.modules["pydantic.main"]
    return code is not None and code.co_filename == main.__file__


def _is_usable(cls: Any) -> bool:
    return (
        cls.__getattribute__ is object.__getattribute__
        and not any("__class__" in vars(base) for base in cls.__mro__ if base is not object)
        and cls.__pydantic_complete__
        and not cls.__pydantic_root_model__
    )


def _schema_of(core: Any, cls: Any) -> Any:
    """The schema that a serializer or a validator was made from."""
    try:
        return core.__reduce__()[1][0]
    except (TypeError, IndexError, AttributeError):
        return cls.__pydantic_core_schema__


def encode_fields(cls: Any) -> Fields | None:
    """Describe the fields of a model whose `model_dump()` copies them.

    Returns:
        `([(name, packed name, required, node)], whether there may be extra fields)`, or None.
    """
    base = pydantic.BaseModel
    if not _is_usable(cls) or type(cls.__pydantic_serializer__) is not SchemaSerializer:
        return None
    if inspect.getattr_static(cls, "model_dump") is not vars(base)["model_dump"]:
        return None
    if not _is_original(base.model_dump):
        return None
    try:
        reader = _Reader(validating=False)
        _, _, fields = reader.model(_schema_of(cls.__pydantic_serializer__, cls), cls)
    except _Undescribedable:
        return None
    return None if "model_dump" in (name for name, *_ in fields[0]) else fields


def decode_fields(cls: Any) -> tuple[Fields, Any] | None:
    """Describe the fields of a model whose constructor keeps exact values as they are.

    Returns:
        The fields as `encode_fields` gives them, and where a message's validator looks for tool
        calls: an object with the places of the fields `additional_kwargs`, `tool_calls` and
        `invalid_tool_calls`, or None.
    """
    if not _is_usable(cls) or type(cls.__pydantic_validator__) is not SchemaValidator:
        return None
    if cls.__new__ is not object.__new__ or inspect.isabstract(cls) or hasattr(cls, "__del__"):
        return None
    if "__call__" in vars(ModelMetaclass) or not _keeps_arguments(cls) or not _has_slots(cls):
        return None
    try:
        reader = _Reader(validating=True)
        _, _, fields = reader.model(_schema_of(cls.__pydantic_validator__, cls), cls)
    except _Undescribedable:
        return None
    names = [name for name, *_ in fields[0]]
    if {"self", "content_blocks"} & set(names):
        return None
    return fields, messages.Places.of(names) if reader.tool_calls else None


def _has_slots(cls: Any) -> bool:
    """Whether a model keeps its state where pydantic's own base class does."""
    base = vars(pydantic.BaseModel)
    return all(
        type(base.get(name)) is MemberDescriptorType
        and inspect.getattr_static(cls, name) is base[name]
        for name in ("__pydantic_extra__", "__pydantic_private__", "__pydantic_fields_set__")
    )


def _keeps_arguments(cls: Any) -> bool:
    """Whether every `__init__` on the way hands its keyword arguments to validation as they are."""
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if base is pydantic.BaseModel:
            return _is_original(init)
        if init is not None and not messages.is_known(init):
            return False
    return False


class _Reader:
    """Reads one model's schema.

    Attributes:
        tool_calls: Set when a validator was met that looks at a message's tool calls.
    """

    def __init__(self, *, validating: bool) -> None:
        self._validating = validating
        self._definitions: dict[str, Any] = {}
        self._open: set[str] = set()
        self.tool_calls = False

    def model(self, schema: Any, cls: Any = None) -> tuple[str, type, Fields]:
        """Read a model; `cls` is the one expected, or None for any."""
        schema = self._defined(schema)
        if schema["type"] in ("function-before", "function-after", "function-wrap"):
            return self.model(self._unwrapped(schema), cls)
        self._require(schema["type"] == "model" and "serialization" not in schema)
        config = schema.get("config") or {}
        self._require(cls is None or schema["cls"] is cls)
        self._require(not schema.get("root_model") and not config.get("serialize_by_alias"))
        if self._validating:
            self._require(_MODEL_KEYS.issuperset(schema) and _HARMLESS_CONFIG.issuperset(config))
            self._require(cls is not None or not schema.get("custom_init"))
            self._require(not schema.get("strict"))
        inner = self._defined(schema["schema"])
        while inner["type"] in ("function-before", "function-after", "function-wrap"):
            inner = self._defined(self._unwrapped(inner))
        self._require(inner["type"] == "model-fields" and "serialization" not in inner)
        self._require("extras_schema" not in inner and "extras_keys_schema" not in inner)
        self._require(self._validating or not inner.get("computed_fields"))
        if self._validating:
            self._require(_FIELDS_KEYS.issuperset(inner))
        behaviors = {
            part.get(key)
            for part, key in (
                (schema, "extra_behavior"),
                (inner, "extra_behavior"),
                (config, "extra_fields_behavior"),
            )
        } - {None}
        self._require(len(behaviors) <= 1)
        fields = [self._field(name, field, True) for name, field in inner["fields"].items()]
        return "model", schema["cls"], (fields, behaviors == {"allow"})

    def _require(self, condition: Any) -> None:
        if not condition:
            raise _Undescribedable

    def _defined(self, schema: Any) -> Any:
        while schema["type"] == "definitions":
            self._definitions.update({one["ref"]: one for one in schema["definitions"]})
            schema = schema["schema"]
        return schema

    def _unwrapped(self, schema: Any) -> Any:
        """The schema inside a validator function, if the function changes nothing here."""
        self._require("serialization" not in schema)
        if self._validating:
            self._require(schema["type"] == "function-before")
            effect = messages.validator_effect(schema["function"]["function"])
            self._require(effect is not None)
            self.tool_calls |= effect == "tool_calls"
        return schema["schema"]

    def _field(self, name: str, field: Any, required: bool) -> tuple[str, bytes, bool, Any]:
        self._require(not field.get("serialization_exclude"))
        self._require("serialization_exclude_if" not in field)
        if self._validating:
            self._require(_FIELD_KEYS.issuperset(field))
        return name, ormsgpack.packb(name), required, self.node(field["schema"])

    def node(self, schema: Any) -> tuple[Any, ...]:
        """Read what a value may be."""
        self._require("serialization" not in schema)
        kind = schema["type"]
        if kind in _LEAVES:
            return self._leaf(kind, schema)
        read = getattr(self, "_read_" + kind.replace("-", "_"), None)
        self._require(read is not None)
        result: tuple[Any, ...] = read(schema)  # type: ignore[misc]
        return result

    def _leaf(self, kind: str, schema: Any) -> tuple[Any, ...]:
        if self._validating:
            # A Decimal is checked for being finite.
            self._require(_HARMLESS.issuperset(schema) and kind != "decimal")
        return "leaf", [_LEAVES[kind]]

    def _read_any(self, schema: Any) -> tuple[Any, ...]:
        return ("any",)

    def _read_literal(self, schema: Any) -> tuple[Any, ...]:
        self._require(all(type(text) is str and text.isascii() for text in schema["expected"]))
        return "literal", list(schema["expected"])

    def _read_enum(self, schema: Any) -> tuple[Any, ...]:
        return "leaf", [schema["cls"]]

    def _read_nullable(self, schema: Any) -> tuple[Any, ...]:
        return "nullable", self.node(schema["schema"])

    def _read_default(self, schema: Any) -> tuple[Any, ...]:
        return self.node(schema["schema"])

    def _read_list(self, schema: Any) -> tuple[Any, ...]:
        self._require(not self._validating or (_HARMLESS | {"items_schema"}).issuperset(schema))
        return "list", self.node(schema.get("items_schema", {"type": "any"}))

    def _read_dict(self, schema: Any) -> tuple[Any, ...]:
        keys = _HARMLESS | {"keys_schema", "values_schema"}
        self._require(not self._validating or keys.issuperset(schema))
        any_ = {"type": "any"}
        return (
            "dict",
            self.node(schema.get("keys_schema", any_)),
            self.node(schema.get("values_schema", any_)),
        )

    def _read_union(self, schema: Any) -> tuple[Any, ...]:
        choices = [one[0] if isinstance(one, tuple) else one for one in schema["choices"]]
        nodes = [self.node(choice) for choice in choices]
        if self._validating:
            # Between dicts, models and typed dicts pydantic chooses by how many fields were set.
            self._require(schema.get("mode", "smart") == "smart")
            self._require(not any(_holds(node, ("typed-dict", "model")) for node in nodes))
        return "union", nodes

    def _read_tagged_union(self, schema: Any) -> tuple[Any, ...]:
        self._require(not self._validating)
        return "union", [self.node(choice) for choice in schema["choices"].values()]

    def _read_typed_dict(self, schema: Any) -> tuple[Any, ...]:
        self._require(not schema.get("computed_fields") and "extras_schema" not in schema)
        config = schema.get("config") or {}
        behavior = schema.get("extra_behavior") or config.get("extra_fields_behavior") or "ignore"
        self._require(not config.get("serialize_by_alias"))
        if self._validating:
            self._require(
                _TYPED_DICT_KEYS.issuperset(schema) and _HARMLESS_CONFIG.issuperset(config)
            )
        total = schema.get("total", config.get("typed_dict_total", True))
        fields = []
        for name, field in schema["fields"].items():
            self._require(not self._validating or field["schema"]["type"] != "default")
            fields.append(self._field(name, field, field.get("required", total)))
        return "typed-dict", (fields, behavior == "allow")

    def _read_model(self, schema: Any) -> tuple[Any, ...]:
        if self._validating:
            self._require("post_init" not in schema)
            self._require(schema["cls"].__new__ is object.__new__ and _has_slots(schema["cls"]))
        return self.model(schema)

    def _read_function_before(self, schema: Any) -> tuple[Any, ...]:
        self._require(not self._validating)
        return self.node(schema["schema"])

    _read_function_after = _read_function_before
    _read_function_wrap = _read_function_before

    def _read_definition_ref(self, schema: Any) -> tuple[Any, ...]:
        ref = schema["schema_ref"]
        self._require(ref in self._definitions and ref not in self._open)
        self._open.add(ref)
        node = self.node(self._definitions[ref])
        self._open.discard(ref)
        return node


def _holds(node: Any, kinds: tuple[str, ...]) -> bool:
    if isinstance(node, (tuple, list)):
        return any(_holds(part, kinds) for part in node)
    return isinstance(node, str) and node in kinds
