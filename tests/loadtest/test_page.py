"""`report.html` needs nothing else, says all of it, and takes names for text."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lgckpt.loadtest import report, results
from lgckpt.loadtest.report import page
from lgckpt.loadtest.report.page import html
from lgckpt.loadtest.results import Correctness
from tests.loadtest import made

PLOTS = [
    "Throughput over time",
    "Latency percentiles",
    "Latency against load",
    "Bytes against steps",
]


class Page(HTMLParser):
    """Tags with what they name, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def ramped() -> str:
    return html(made.ramped())


def test_it_needs_nothing_else(ramped: str) -> None:
    shown = Page(ramped)
    assert not shown.open
    assert not {tag for tag, _ in shown.tags} & {"script", "link", "iframe", "object"}
    for _, named in shown.tags:
        assert (named.get("src") or "data:").startswith("data:")
        assert "href" not in named
    assert "url(" not in ramped
    assert "@import" not in ramped


def test_every_plot_is_in_it(ramped: str) -> None:
    images = [named for tag, named in Page(ramped).tags if tag == "img"]
    assert [named["alt"] for named in images] == PLOTS
    for named in images:
        data = (named["src"] or "").removeprefix("data:image/svg+xml;base64,")
        assert ElementTree.fromstring(b64decode(data)).tag.endswith("svg")


def test_every_figure_of_the_tables_is_in_it(ramped: str) -> None:
    text = Page(ramped).text
    run = made.ramped()
    for side in run.sides:
        for operation in side.operations:
            for wait in ("p50_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms"):
                assert page.tables.took(getattr(operation, wait)) in text
        for level in side.levels:
            assert page.rate(level.steps_per_second) in text
    for value in (*run.versions.values(), *run.machine.values(), run.command, "knee"):
        assert value in text


def test_words_that_a_reader_may_not_know_are_explained(ramped: str) -> None:
    text = Page(ramped).text
    for word in ("A superstep is", "p50: half", "Lost: ", "Torn: ", "Stale: ", "Doubled: ",
                 "a closed loop", "The knee is", "Stored: "):  # fmt: skip
        assert word in re.sub(r"\s+", " ", text)


def test_wrong_data_is_said_first() -> None:
    text = Page(html(made.killed())).text
    failed = text.index("FAILED: of 5,415 reads that were checked, 2 lost, 1 stale.")
    assert failed < text.index("thread c-7: step 41 of 42 was read") < text.index("In short")
    assert "24 calls failed" in text
    assert "TimeoutError" in text


def test_unchecked_data_is_not_called_right() -> None:
    run = made.run()
    sides = tuple(replace(side, correctness=Correctness()) for side in run.sides)
    text = Page(html(replace(run, sides=sides))).text
    assert "No read was checked" in text
    assert "The data was right" not in text


def test_without_a_ramp_the_page_says_how_to_get_one() -> None:
    shown = Page(html(made.run()))
    assert "--ramp 1..512 draws this plot" in shown.text
    assert len([tag for tag, _ in shown.tags if tag == "img"]) == 3


def test_an_open_loop_is_told_as_one() -> None:
    run = replace(made.run(), loop="open", rate=1180.0)
    text = Page(html(run)).text
    assert "from the moment its call was due" in text
    assert "lgckpt postgres carried the load: of 35,400 supersteps that were due" in text
    assert "official postgres fell behind" in text


def test_names_are_text() -> None:
    run = made.run()
    odd = "<script>alert(1)</script>"
    sides = (replace(run.sides[0], name=odd, url=odd, server=odd), run.sides[1])
    found = html(replace(run, sides=sides, workload=odd, command=odd, notes=(odd,)))
    assert odd not in found
    assert Page(found).text.count(odd) >= 5


def test_an_option_is_never_broken_after_its_dashes() -> None:
    run = replace(made.run(), command="lgckpt loadtest x --vs <y>", notes=("a--b --keep <it>",))
    shown = html(run)
    assert 'lgckpt loadtest x <code class="option">--vs</code> &lt;y&gt;' in shown
    assert 'a--b <code class="option">--keep</code> &lt;it&gt;' in shown
    assert re.search(r"code\.option \{[^}]*white-space: nowrap", shown)


def test_both_files_are_saved(tmp_path: Path) -> None:
    run = made.run()
    saved = report.save(run, tmp_path / "a" / "b")
    assert saved.read_text(encoding="utf-8") == html(run)
    assert results.read(saved.with_name("results.json")) == run
