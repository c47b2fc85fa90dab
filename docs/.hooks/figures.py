"""Puts the README's figures where a page says `<!-- figures -->`: they stand in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PLACE = "<!-- figures -->"
_FIGURES = re.compile(r"<!-- figures: begin -->\n(.*)<!-- figures: end -->", re.DOTALL)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(docs/([^)]+)\)")


def on_page_markdown(markdown: str, *, config: Any, **_: Any) -> str:
    """Called by MkDocs for each page.

    Raises:
        ValueError: The README has no figures.
    """
    if PLACE not in markdown:
        return markdown
    readme = Path(config.config_file_path).with_name("README.md").read_text()
    found = _FIGURES.search(readme)
    if found is None:
        raise ValueError("README.md has no figures")
    # The page lies where the README's pictures are looked for. They have more to show than a page
    # is wide: each leads to itself.
    return markdown.replace(PLACE, _PICTURE.sub(r"[![\1](\2)](\2)", found[1]))
