"""The distributions that a segment is described with: a name and parameters, so that they can come from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Sampler = Callable[[np.random.Generator, Mapping[str, float], int], Floats]

#: Each sampler takes its own parameters by name; scale and mean have the unit of the quantity, rate its inverse.
_SAMPLERS: Mapping[str, _Sampler] = {
    "constant": lambda rng, p, n: np.full(n, p["value"]),
    "exponential": lambda rng, p, n: rng.exponential(1 / p["rate"], n),
    "gamma": lambda rng, p, n: rng.gamma(p["shape"], p["scale"], n),
    "weibull": lambda rng, p, n: p["scale"] * rng.weibull(p["shape"], n),
    "lognormal": lambda rng, p, n: rng.lognormal(p["mu"], p["sigma"], n),
    "beta": lambda rng, p, n: rng.beta(p["a"], p["b"], n),
    # 1 / gamma: the mean spends of customers in the Gamma-Gamma model (Fader & Hardie 2013, "The Gamma-Gamma
    # Model of Monetary Value", section 2).
    "inverse_gamma": lambda rng, p, n: p["scale"] / rng.gamma(p["shape"], 1.0, n),
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """One positive quantity: `name` is a key of the registry above, `parameters` its arguments."""

    name: str
    parameters: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.name not in _SAMPLERS:
            raise ValueError(f"Unknown distribution {self.name!r}; known: {', '.join(sorted(_SAMPLERS))}.")

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` independent draws, shape (count,)."""
        return _SAMPLERS[self.name](rng, self.parameters, count)


def constant(value: float) -> Distribution:
    return Distribution("constant", {"value": value})


def exponential(mean: float) -> Distribution:
    return Distribution("exponential", {"rate": 1 / mean})


def gamma(shape: float, mean: float) -> Distribution:
    return Distribution("gamma", {"shape": shape, "scale": mean / shape})


def beta(a: float, b: float) -> Distribution:
    return Distribution("beta", {"a": a, "b": b})


def inverse_gamma(shape: float, mean: float) -> Distribution:
    return Distribution("inverse_gamma", {"shape": shape, "scale": mean * (shape - 1)})
