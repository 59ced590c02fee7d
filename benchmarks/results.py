"""A benchmark's result as a file: what was measured, on what, and which claims rest on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Claim:
    """A ratio or a time of one run, and what it should be at most (or, with `at_least`, at least)."""

    text: str
    value: float
    target: float
    unit: str = "times"
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True, slots=True)
class Result:
    """All of one benchmark. `table` is what people read: a row of cells under each heading."""

    name: str
    title: str
    method: str
    headings: Sequence[str]
    table: Sequence[Sequence[str]]
    claims: Sequence[Claim]
    #: What the plot is drawn from.
    measurements: Mapping[str, Any]
    machine: Mapping[str, Any] = field(default_factory=machine)
    versions: Mapping[str, str] = field(default_factory=versions)
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def write_result(result: Result, folder: Path = FOLDER) -> Path:
    """Keep a result; an earlier one of the same benchmark is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{result.name}.json"
    file.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    return file


def read_results(folder: Path = FOLDER) -> list[Result]:
    """All results that are there, by name."""
    return [_read(file) for file in sorted(folder.glob("*.json"))]


def _read(file: Path) -> Result:
    values = json.loads(file.read_text(encoding="utf-8"))
    return Result(**{**values, "claims": [Claim(**claim) for claim in values["claims"]]})
