"""JSON as every command prints it."""

from __future__ import annotations

import json
import re
from typing import Any

from lgckpt.cli.secrets import without_urls
from lgckpt.cli.streams import takes_any_text

_CONTROL = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What JSON may hold as it is and a terminal, or UTF-8, may not."""


def dumped(value: Any) -> str:
    """A value as JSON; of what it says only a URL that the command was given is changed.

    To look for other URLs in it would be to change data, and to mistake its quotes for theirs.
    """
    ascii_only = not takes_any_text()
    made = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, default=str)
    text = without_urls(made)
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
