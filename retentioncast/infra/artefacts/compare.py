"""What two versions differ in, a line each: parameters, metrics, data, code, packages."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from retentioncast.infra.artefacts.store import Stored

#: Of a model's JSON: bookkeeping that says nothing a reader of a comparison wants.
_NOT_COMPARED = frozenset({"hash", "schema_version"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not the same; None where a version has none. `change` is relative, for numbers."""

    name: str
    before: object
    after: object

    @property
    def change(self) -> float | None:
        if not isinstance(self.before, int | float) or not isinstance(self.after, int | float) or not self.before:
            return None
        return self.after / self.before - 1


def compare(before: Stored, after: Stored) -> list[Difference]:
    """All differences, by name."""
    left, right = dict(_values(before)), dict(_values(after))
    names = [name for name in {**left, **right} if not _equal(left.get(name), right.get(name))]
    return [Difference(name, left.get(name), right.get(name)) for name in names]


def parameters(stored: Stored) -> dict[str, object]:
    """Every value of the models' JSON files, by `file.path.to.value`; arrays of numbers are left out."""
    found: dict[str, object] = {}
    for name, data in stored.files.items():
        if name.endswith(".json"):
            found |= dict(_flat(json.loads(data), name.removesuffix(".json")))
    return found


def _values(stored: Stored) -> Iterator[tuple[str, object]]:
    yield from parameters(stored).items()
    for name, value in asdict(stored.manifest.origin).items():
        yield from _flat(value, name)
    for name, entry in stored.manifest.files.items():
        if not name.endswith(".json"):
            yield f"{name}.sha256", entry.sha256[:12]


def _flat(value: Any, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _NOT_COMPARED:
                yield from _flat(inner, f"{path}.{name}")
    elif not isinstance(value, list):
        yield path, value


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return one == other
