"""Reads the project's pages as a machine does: fenced blocks, code spans, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language (empty: output), its text, its line in the page."""

    language: str
    text: str
    line: int


def page(name: str) -> str:
    """The text of a page of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """All fenced blocks in order."""
    return [
        Block(
            found[2], re.sub(rf"^{found[1]}", "", found[3], flags=re.MULTILINE), text[: found.start()].count("\n") + 1
        )
        for found in _FENCE.finditer(text)
    ]


def code(text: str) -> Iterator[str]:
    """Every line of a fenced block and every code span of the prose."""
    for block in blocks(text):
        yield from block.text.splitlines()
    for found in _SPAN.finditer(_FENCE.sub("", text)):
        yield found[1].replace("\\|", "|")


def anchors(text: str) -> set[str]:
    """What a link to a heading of this page may say after #."""
    headings = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """The targets of all links that stay in the checkout."""
    return [target for target in _LINK.findall(_FENCE.sub("", text)) if "://" not in target]
