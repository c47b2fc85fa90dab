"""LangGraph's own serializer code, run over our codec.

What no native path handles is decided by the installed LangGraph: its `_msgpack_default` says what
an object is packed as, and its ext hook makes objects of what was unpacked. Both are run here as
they are, with only the calls into ormsgpack replaced, so that nested values come back to our
encoder and our limits.

The native paths repeat what that code does for common types. They are on only where its source is
one they were checked against.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, TypeGuard

import ormsgpack
from langgraph.checkpoint.serde import jsonplus

_DEFAULT = jsonplus._msgpack_default
_ENCODE = jsonplus._msgpack_enc
_CREATE_HOOK = jsonplus._create_msgpack_ext_hook


def digest(function: Callable[..., Any]) -> str:
    """Hash the code of a function without its comments, docstrings and layout.

    Returns:
        16 hexadecimal digits, the same on every version of Python; an empty string if there is
        no source to read.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ""
    return hashlib.sha256("".join(_words(tree)).encode()).hexdigest()[:16]


def _words(node: Any) -> Iterator[str]:
    """The parts of a syntax tree that make a difference; `ast.dump` changes between releases."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if value not in (None, []) and name != "ctx":
                yield f" {name}="
                yield from _words(value)
        yield ")"
    elif isinstance(node, list):
        for part in node:
            # A string by itself is a docstring.
            if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):
                yield from _words(part)
    else:
        yield repr(node)


# The sources the native paths were checked against.
_ENCODERS = {"717c3b6d33a7521ba3c2ea9f7c1cd5d0"}
_HOOKS = {"89db6bd4aa19220f"}

ENCODER_KNOWN = digest(_DEFAULT) + digest(_ENCODE) in _ENCODERS
HOOK_KNOWN = digest(_CREATE_HOOK) in _HOOKS


def is_patched() -> bool:
    """Whether someone replaced LangGraph's encoder since it was imported."""
    return jsonplus._msgpack_default is not _DEFAULT or jsonplus._msgpack_enc is not _ENCODE


def default_over(
    encode: Callable[[Any], bytes], ext: Callable[[int, bytes], Any]
) -> Callable[[Any], Any]:
    """Rebind `_msgpack_default`.

    Args:
        encode: Packs a nested value.
        ext: Makes the extension of a code and packed bytes.

    Returns:
        A function that gives what an object is packed as.
    """
    namespace = dict(vars(jsonplus))
    namespace["_msgpack_enc"] = encode
    namespace["ormsgpack"] = SimpleNamespace(**{**vars(ormsgpack), "Ext": ext})
    return FunctionType(_DEFAULT.__code__, namespace, "_msgpack_default", _DEFAULT.__defaults__)


def _unpacked(data: Any, *, ext_hook: Any = None, option: Any = None) -> Any:
    return data


def is_langgraph_hook(hook: Any) -> TypeGuard[FunctionType]:
    """Whether a hook was made by LangGraph's own factory."""
    return isinstance(hook, FunctionType) and hook.__code__ is _hook_code()


def _hook_code() -> CodeType | None:
    codes = (const for const in _CREATE_HOOK.__code__.co_consts if isinstance(const, CodeType))
    return next((code for code in codes if code.co_name == "ext_hook"), None)


def rebuild_over(hook: FunctionType) -> Callable[[int, Any], Any]:
    """Rebind a hook of LangGraph's.

    Args:
        hook: A hook for which `is_langgraph_hook` holds; its allowlist stays its own.

    Returns:
        A function of an extension's code and its content, already unpacked.
    """
    namespace = dict(vars(jsonplus))
    namespace["ormsgpack"] = SimpleNamespace(**{**vars(ormsgpack), "unpackb": _unpacked})
    return FunctionType(
        hook.__code__, namespace, hook.__name__, hook.__defaults__, hook.__closure__
    )
