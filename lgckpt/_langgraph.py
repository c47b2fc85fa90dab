"""LangGraph's own serializer code, run over our codec.

What no native path handles is decided by the installed LangGraph: its `_msgpack_default` says what an object is
packed as, and its ext hook makes objects of what was unpacked. Both are run here as they are, with only the calls
into ormsgpack replaced, so that nested values come back to our encoder and our limits.

The native paths repeat what that code does for common types. They are on only where its source is one they were
checked against.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde import jsonplus

_DEFAULT = jsonplus._msgpack_default
_ENCODE = jsonplus._msgpack_enc
_CREATE_HOOK = jsonplus._create_msgpack_ext_hook

_SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_STARTS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.NL}
_IGNORED = dict.fromkeys(map(ord, "{} \t\r\n"))


def digest(function: Callable[..., Any]) -> str:
    """Hash the source of a function without its comments, docstrings and layout.

    Returns:
        16 hexadecimal digits, or an empty string if there is no source to read.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):
        return ""
    words = []
    last = tokenize.NEWLINE
    for token in tokens:
        docstring = token.type == tokenize.STRING and last in _STARTS
        if token.type not in _SKIPPED and not docstring:
            words.append(token.string)
        if token.type != tokenize.COMMENT:
            last = token.type
    # Braces are written differently inside f-string tokens from Python 3.12 on.
    text = "".join(words).translate(_IGNORED)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# The sources the native paths were checked against.
_ENCODERS = {"6d73423b179a5ececbf5749d444a1836"}
_HOOKS = {"fb02df11bc43f8cb"}

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


def is_langgraph_hook(hook: Any) -> bool:
    """Whether a hook was made by LangGraph's own factory."""
    return isinstance(hook, FunctionType) and hook.__code__ is _hook_code()


def _hook_code() -> CodeType | None:
    codes = (const for const in _CREATE_HOOK.__code__.co_consts if isinstance(const, CodeType))
    return next((code for code in codes if code.co_name == "ext_hook"), None)


def rebuild_over(
    hook: FunctionType, unpack: Callable[..., Any] = _unpacked
) -> Callable[[int, Any], Any]:
    """Rebind a hook of LangGraph's.

    Args:
        hook: A hook for which `is_langgraph_hook` holds; its allowlist stays its own.
        unpack: Stands in for `ormsgpack.unpackb`; by default the hook is given values already unpacked.

    Returns:
        A function of an extension's code and its content.
    """
    namespace = dict(vars(jsonplus))
    namespace["ormsgpack"] = SimpleNamespace(**{**vars(ormsgpack), "unpackb": unpack})
    return FunctionType(
        hook.__code__, namespace, hook.__name__, hook.__defaults__, hook.__closure__
    )
