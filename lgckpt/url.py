"""`from_url`: a saver from one string."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from lgckpt.errors import ConfigurationError
from lgckpt.memory import MemorySaver
from lgckpt.postgres import PostgresSaver
from lgckpt.redis import RedisSaver
from lgckpt.saver import Saver
from lgckpt.sqlite import SqliteSaver

OWN = "lgckpt_"
"""What the parameters of a URL begin with that are ours, not the driver's."""

OWN_OPTIONS = frozenset({"schema", "prefix", "compression"})

SECRET = frozenset({"password", "passwd", "sslpassword", "ssl_password"})


def without_password(url: str) -> str:
    """A URL for people to see: what may be secret in it is "***"."""
    try:
        parts = urlsplit(url)
        if parts.scheme.endswith("sqlite") and not parts.netloc:
            return url  # put together again, it would lose two of its slashes
        userinfo, at, hosts = parts.netloc.rpartition("@")
        if ":" not in userinfo and not any(name in unquote(parts.query).lower() for name in SECRET):
            return url
        user = userinfo.partition(":")[0]
        netloc = f"{user}:***@{hosts}" if ":" in userinfo else user + at + hosts
        query = [
            f"{quote(k)}={'***' if k.lower() in SECRET else quote(v, safe='/:,')}"
            for k, v in parse_qsl(parts.query, keep_blank_values=True)
        ]
    except ValueError:
        return "***"
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(query)))


def own_options(url: str) -> tuple[str, dict[str, str]]:
    """Take our own parameters out of a URL.

    Raises:
        ConfigurationError: There is no such option.
    """
    head, mark, tail = url.partition("?")
    if OWN not in tail:
        return url, {}
    query, hash_mark, fragment = tail.partition("#")
    own: dict[str, str] = {}
    rest: list[str] = []
    for part in query.split("&"):
        if not part.startswith(OWN):
            rest.append(part)
            continue
        name, _, value = part[len(OWN) :].partition("=")
        if name not in OWN_OPTIONS:
            raise ConfigurationError(
                f"no option {OWN}{name}; a URL may have: "
                + ", ".join(sorted(OWN + known for known in OWN_OPTIONS))
            )
        own[name] = unquote(value)
    return head + (mark if rest else "") + "&".join(rest) + hash_mark + fragment, own


def from_url(url: str, **options: Any) -> Saver:
    """Make a saver.

    Args:
        url: `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`,
            `sqlite:///:memory:`, `postgresql://user@host:5432/database` with the parameters
            that asyncpg knows; for Redis see `RedisSaver`. `lgckpt_schema=`, `lgckpt_prefix=` and
            `lgckpt_compression=` are passed to the saver as those options.
        **options: Passed to the saver.

    Raises:
        ConfigurationError: The URL names no backend or no database.
    """
    url, own = own_options(url)
    options = {**own, **options}
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise ConfigurationError("not a URL") from exc
    if parts.scheme in ("postgresql", "postgres"):
        return PostgresSaver(url, **options)
    if parts.scheme.startswith(("redis", "unix")):
        return RedisSaver(url, **options)
    if parts.query or parts.fragment:
        raise ConfigurationError("options are keyword arguments, not part of the URL")
    if parts.scheme == "memory":
        if parts.netloc or parts.path:
            raise ConfigurationError("an in-memory saver has no name: memory://")
        return MemorySaver(**options)
    if parts.scheme == "sqlite":
        if parts.netloc or not parts.path.strip("/"):
            raise ConfigurationError(
                "a SQLite URL has three slashes before a relative path and four before an "
                "absolute one: sqlite:///agents.db, sqlite:////var/lib/agents.db"
            )
        return SqliteSaver(unquote(parts.path[1:]), **options)
    raise ConfigurationError(
        f"no backend for URLs of scheme {parts.scheme!r}; there are: "
        "memory, sqlite, postgresql, redis"
    )
