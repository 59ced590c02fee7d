"""Reads one distribution as people write it: a name and its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from retentioncast.models.populations.distributions import FAMILIES, WAITING, Distribution, Family
from retentioncast.models.populations.problems import InvalidPopulation, number, only_known


def read_distribution(population: str, field: str, value: object, waiting: bool = False) -> Distribution:
    """`('gamma', {'shape': 2, 'scale': 5})` or a bare number, which is a constant.

    With `waiting` only the distributions of waiting times are allowed. Raises InvalidPopulation, which names the field.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = ("constant", {"value": value})
    if not isinstance(value, list | tuple) or len(value) != 2 or not isinstance(value[1], Mapping):
        raise InvalidPopulation(
            population, field, f"{value!r} is no distribution", "Write it as a name and its parameters: "
            "('exponential', {'rate': 0.1}).",
        )  # fmt: skip
    name, given = value
    known = WAITING if waiting else tuple(FAMILIES)
    if name not in known:
        raise InvalidPopulation(
            population, field, f"unknown distribution {name!r}", f"Known: {', '.join(sorted(known))}."
        )
    return Distribution(name, _parameters(population, f"{field}.{name}", FAMILIES[name], given))


def _parameters(population: str, field: str, family: Family, given: Mapping[str, object]) -> dict[str, float]:
    values = {str(key): number(population, f"{field}.{key}", each) for key, each in given.items()}
    if family.by_mean is not None and "mean" in values:
        values = _by_mean(population, field, family, values)
    only_known(population, values, [each.name for each in family.parameters])
    for each in family.parameters:
        if each.name not in values:
            raise InvalidPopulation(population, f"{field}.{each.name}", "is missing", f"Give it: {each}.")
        if not each.allows(values[each.name]):
            raise InvalidPopulation(
                population, f"{field}.{each.name}", f"{values[each.name]:g} is out of range", f"Give {each}."
            )
    if "high" in values and values["high"] <= values["low"]:
        raise InvalidPopulation(population, f"{field}.high", f"{values['high']:g} is not above low")
    return values


def _by_mean(population: str, field: str, family: Family, values: dict[str, float]) -> dict[str, float]:
    if values["mean"] <= 0:
        raise InvalidPopulation(population, f"{field}.mean", f"{values['mean']:g} is out of range", "Give one above 0.")
    assert family.by_mean is not None
    try:
        return family.by_mean(values)
    except (KeyError, ZeroDivisionError):
        raise InvalidPopulation(
            population, f"{field}.shape", "is missing or 0", "With a mean, give the shape too."
        ) from None
