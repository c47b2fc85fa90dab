"""Passwords kept out of everything that the command line prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

from lgckpt.url import SECRET, without_password

SHORT = 3
"""A password up to so many characters is hidden within its URL only: it may be part of any word."""

_seen: dict[str, str] = {}
"""What must not be printed, and what is printed in its place; the longest first."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


def learn(words: Iterable[str]) -> None:
    """Note the passwords of all URLs among these words."""
    for word in words:
        if "://" not in word:
            continue
        found = _URL.search(word)
        url = word[found.start() :] if found else word
        _seen[url] = without_password(url)
        for secret in _secrets(url):
            for form in {secret, unquote(secret)}:
                if len(form) > SHORT:
                    _seen[form] = "***"


def _secrets(url: str) -> list[str]:
    """The passwords of a URL, as they are written in it."""
    userinfo = url.partition("://")[2].rpartition("@")[0]
    found = [userinfo.partition(":")[2]]
    try:
        parts = urlsplit(url)
        found += [value for name, value in parse_qsl(parts.query) if name.lower() in SECRET]
    except ValueError:
        pass
    return [secret for secret in found if secret]


def hidden(text: str) -> str:
    """Text without the passwords that were noted, or that stand in a URL within it."""
    for secret in sorted(_seen, key=len, reverse=True):
        text = text.replace(secret, _seen[secret])
    return _URL.sub(lambda found: _as_shown(found.group()), text)


def without_urls(text: str) -> str:
    """Data without the URLs that were noted; a word in it that is like a password stays."""
    for secret in sorted(_seen, key=len, reverse=True):
        if "://" in secret and _secrets(secret):
            text = text.replace(secret, _seen[secret])
    return text


def _as_shown(url: str) -> str:
    """A URL as it is, unless there is a password in it."""
    return without_password(url) if _secrets(url) else url
