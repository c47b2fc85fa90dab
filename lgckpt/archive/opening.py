"""From a `file:` URL to a portable file."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

from lgckpt.archive.side import ArchiveSide
from lgckpt.errors import ConfigurationError

PREFIX = "file:"

_FORMS = "file:///absolute/path.lgckpt or file:relative/path.lgckpt"


def open_archive(url: str) -> ArchiveSide:
    """A portable file, not yet opened.

    Args:
        url: `file:///absolute/path`, `file:relative/path`; with `?partial=true` a file whose
            writer was not closed is read as far as it is whole.

    Raises:
        ConfigurationError: The URL names no file.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or parts.fragment:
        raise ConfigurationError(f"{url} is on another machine: a portable file is {_FORMS}")
    path = url2pathname(parts.path)
    if not path or path.endswith("/"):
        raise ConfigurationError(f"{url} names no file: a portable file is {_FORMS}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    partial = options.pop("partial", "false")
    if options or partial not in ("true", "false"):
        raise ConfigurationError(f"a portable file's URL may have ?partial=true and no more: {url}")
    return ArchiveSide(path, url, partial=partial == "true")
