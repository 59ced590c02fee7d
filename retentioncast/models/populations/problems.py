"""What is wrong with a description of populations, by population and field; and small checks that say it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from retentioncast.core.errors import InvalidInput


class InvalidPopulation(InvalidInput, ValueError):
    """A description of populations cannot be used. Correct the population and the field that the message names."""

    def __init__(self, population: str, name: str, problem: str, next_step: str = "") -> None:
        where = f"population {population!r}" if population else "populations"
        super().__init__(f"{where}, field {name}: {problem}.", next_step or "See docs/models/populations.md.")
        self.population, self.field = population, name


def number(population: str, name: str, value: object) -> float:
    """The value as a float; a word, a list, a truth value and what is not finite are refused."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidPopulation(population, name, f"{value!r} is not a number")
    if not math.isfinite(value):
        raise InvalidPopulation(population, name, f"{value} is out of range", "Give a finite number.")
    return float(value)


def share(population: str, name: str, value: object) -> float:
    """A number from 0 to 1."""
    found = number(population, name, value)
    if not 0 <= found <= 1:
        raise InvalidPopulation(population, name, f"{found:g} is not a share", "Give a number from 0 to 1.")
    return found


def shares(population: str, name: str, value: object) -> dict[str, float]:
    """One name, or shares by name that sum to 1."""
    if isinstance(value, str):
        return {value: 1.0}
    if not isinstance(value, Mapping) or not value:
        raise InvalidPopulation(population, name, f"{value!r} is neither a name nor shares by name")
    found = {str(key): share(population, f"{name}.{key}", each) for key, each in value.items()}
    sums_to_one(population, name, found.values())
    return found


def sums_to_one(population: str, name: str, values: Collection[float]) -> None:
    """Raise InvalidPopulation unless they do, to six digits."""
    total = sum(values)
    if abs(total - 1) > 1e-6:
        raise InvalidPopulation(population, name, f"the shares sum to {total:g}, not to 1", "Correct the shares.")


def only_known(population: str, given: Collection[object], known: Collection[str]) -> None:
    """Raise InvalidPopulation at the first key that nobody reads."""
    for key in given:
        if key not in known:
            raise InvalidPopulation(population, str(key), "is unknown", f"Known: {', '.join(sorted(known))}.")
