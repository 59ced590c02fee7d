"""Descriptions of populations drawn at random, in the range of real subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.ordering import order_segments

_Draw = Callable[[np.random.Generator, float], tuple[str, dict[str, float]]]

#: A distribution with a mean near `middle` months.
_FAMILIES: dict[str, _Draw] = {
    "constant": lambda rng, middle: ("constant", {"value": middle}),
    "exponential": lambda rng, middle: ("exponential", {"rate": 1 / middle}),
    "gamma": lambda rng, middle: _by_shape("gamma", rng.uniform(1.2, 5), middle),
    "weibull": lambda rng, middle: ("weibull", {"shape": rng.uniform(0.8, 2.5), "scale": middle}),
    "normal": lambda rng, middle: ("normal", {"mean": middle, "sd": middle * rng.uniform(0.2, 0.5)}),
    "lognormal": lambda rng, middle: ("lognormal", {"mu": float(np.log(middle)), "sigma": rng.uniform(0.3, 1.0)}),
    "geometric": lambda rng, middle: ("geometric", {"p": 1 / max(middle, 1.2)}),
    "uniform": lambda rng, middle: ("uniform", {"low": 0.0, "high": 2 * middle}),
}
_CANCEL = tuple(_FAMILIES)
_LIFETIME = ("exponential", "gamma", "weibull", "normal", "lognormal", "uniform")


def random_populations(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One to three segments; wishes after 1 to 12 months, natural ends after 8 to 30. At most one has atoms."""
    while True:
        count = int(rng.choice([1, 2, 3], p=[0.1, 0.5, 0.4]))
        mix = rng.dirichlet(np.full(count, 4.0))
        families = rng.choice(_CANCEL, count)
        populations = [_segment(rng, i, float(mix[i]), str(families[i])) for i in range(count)]
        if np.isin(families, ("constant", "geometric")).sum() <= 1 and _is_sound(populations):
            return populations


def _segment(rng: np.random.Generator, index: int, mix: float, family: str) -> dict[str, Any]:
    cancel = _FAMILIES[family](rng, float(np.exp(rng.uniform(np.log(1.0), np.log(12.0)))))
    lifetime = _FAMILIES[str(rng.choice(_LIFETIME))](rng, float(np.exp(rng.uniform(np.log(8.0), np.log(30.0)))))
    return {"name": f"S{index + 1}", "mix": mix, "cancel_dist": cancel, "lifetime_dist": lifetime}


def _is_sound(populations: list[dict[str, Any]]) -> bool:
    """The library itself refuses segments that nothing tells apart."""
    try:
        order_segments(Mixture(populations).segments, [])
    except InvalidInput:
        return False
    return all(each["mix"] > 0.05 for each in populations)


def _by_shape(name: str, shape: float, mean: float) -> tuple[str, dict[str, float]]:
    return name, {"shape": shape, "scale": mean / shape}
