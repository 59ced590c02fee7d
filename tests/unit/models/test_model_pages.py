"""The examples on the models' pages run and print what stands there; the index knows every page."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.markdown import ROOT, blocks, links, page

PAGES = sorted((ROOT / "docs/models").glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_of_a_page_print_what_it_shows(path: Path) -> None:
    text = "\n".join(block.text for block in blocks(path.read_text(encoding="utf-8")) if block.language == "python")
    parsed = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    assert parsed.examples or (">>>" not in text and "import" not in text), "no example runs"
    told: list[str] = []
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(parsed, out=told.append).failed == 0, (
        told
    )


def test_the_index_names_every_page_and_no_other() -> None:
    assert sorted(links(page("docs/models.md"))) == [f"models/{path.name}" for path in PAGES]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in links(path.read_text(encoding="utf-8")):
        assert (path.parent / target.partition("#")[0]).exists(), target
