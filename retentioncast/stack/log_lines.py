"""Reads the ends of log files, and what is added to them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

POLL_S = 0.25


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a file, without their line ends; none when there is no file."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, count)]


def follow_logs(files: Mapping[str, Path], count: int, follow: bool) -> Iterator[str]:
    """The last lines of each file, then, on request, new ones as they come; of several files with the part's name."""
    several = len(files) > 1
    opened: dict[str, TextIO] = {name: file.open(encoding="utf-8", errors="replace") for name, file in files.items()}
    for name, lines in opened.items():
        for line in deque(lines, count):
            yield _labelled(name, line, several)
    while follow:
        fresh = [_labelled(name, line, several) for name in files for line in _new_lines(files[name], name, opened)]
        yield from fresh
        if not fresh:
            time.sleep(POLL_S)


def _new_lines(file: Path, name: str, opened: dict[str, TextIO]) -> Iterator[str]:
    yield from opened[name]
    # Rotation gives the path to another file.
    if file.exists() and file.stat().st_ino != _inode(opened[name]):
        opened[name].close()
        opened[name] = file.open(encoding="utf-8", errors="replace")
        yield from opened[name]


def _inode(file: TextIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _labelled(name: str, line: str, several: bool) -> str:
    return f"{name} | {line.rstrip()}" if several else line.rstrip("\n")
