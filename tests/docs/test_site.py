"""The site builds strictly, and needs nothing from anywhere."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

import lgckpt
from lgckpt import inspection, pregel, upkeep
from tests.docs.pages import DOCS, ROOT

FETCHED = re.compile(
    r"""<(?:link|script|img|iframe|source)\b[^>]*?\b(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)"""
)
EXAMPLES = ("lgckpt.memory", "lgckpt.sqlite", "lgckpt.redis", "lgckpt.archive.saving")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=ROOT,
        # As `make docs` does: whatever would reach out gets no answer.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return directory


def test_no_page_fetches_anything(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert FETCHED.findall(page.read_text()) == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text())


@pytest.mark.parametrize("module", [lgckpt, upkeep, inspection, pregel], ids=lambda m: m.__name__)
def test_the_reference_has_every_public_name(site: Path, module: ModuleType) -> None:
    found = "".join(page.read_text() for page in (site / "api").glob("*.html"))
    for name in module.__all__:
        if not isinstance(getattr(module, name), ModuleType):
            assert re.search(rf'id="lgckpt\.(?:\w+\.)*{name}"', found), name


def test_the_table_is_the_readmes(site: Path) -> None:
    page = (site / "measured.html").read_text()
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"`(--group [\w-]+)`", readme)
    assert len(commands) > 20
    assert page.count("<td><code>--group ") == len(commands)


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda p: p.name)
def test_a_picture_says_what_it_shows_and_fetches_nothing(picture: Path) -> None:
    text = picture.read_text()
    assert ElementTree.fromstring(text).find("{http://www.w3.org/2000/svg}title") is not None
    assert text.count("http") == text.count("http://www.w3.org/2000/svg")
    named = [page for page in DOCS.glob("*.md") if f"pictures/{picture.name}" in page.read_text()]
    assert named


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_docstrings_hold(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert not failed


def test_no_module_has_examples_that_are_not_tried() -> None:
    package = Path(lgckpt.__file__).parent
    found = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if ">>> " in path.read_text()
    }
    assert found == set(EXAMPLES)
