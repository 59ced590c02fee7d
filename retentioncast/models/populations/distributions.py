"""The registry of distributions that a population is described with: name, parameters, their ranges, how to sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri

from retentioncast.models.arrays import Floats
from retentioncast.models.populations import laws
from retentioncast.models.populations.laws import WIDTH, Law

_Sampler = Callable[[np.random.Generator, Sequence[float], int], Floats]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a distribution and where it may lie: above `low` (from it on, where `closed`) and below `high`."""

    name: str
    low: float = 0.0
    high: float = math.inf
    closed: bool = False
    #: How it is inferred: on the log, the logit or its own scale; "given" is not inferred.
    scale: str = "log"

    def allows(self, value: float) -> bool:
        return math.isfinite(value) and (value > self.low or (self.closed and value == self.low)) and value < self.high

    def __str__(self) -> str:
        low = "" if self.low == -math.inf else f" {'from' if self.closed else 'above'} {self.low:g}"
        return f"a number{low}" + ("" if self.high == math.inf else f" and below {self.high:g}")


@dataclass(frozen=True, slots=True)
class Family:
    """One distribution of the registry. `log_density` and `log_survival` are missing where nobody waits by it."""

    parameters: tuple[Parameter, ...]
    sample: _Sampler
    log_density: Law | None = None
    log_survival: Law | None = None
    #: Index of the parameter that moves the whole distribution, and whether it moves it later (1) or earlier (-1).
    location: tuple[int, int] | None = None
    #: Single points carry mass.
    has_atoms: bool = False
    #: Another way to say the parameters: names that are turned into the registry's own.
    by_mean: Callable[[Mapping[str, float]], dict[str, float]] | None = None


def _truncated_normal(rng: np.random.Generator, values: Sequence[float], n: int) -> Floats:
    """By inversion in the upper tail, which is exact to the last digits also for means far below 0."""
    mean, sd = values
    return np.asarray(np.maximum(mean - sd * ndtri(rng.random(n) * ndtr(mean / sd)), 0.0))


_SHAPE, _SCALE, _RATE = Parameter("shape"), Parameter("scale"), Parameter("rate")

FAMILIES: Mapping[str, Family] = {
    "constant": Family(
        (Parameter("value", closed=True),), lambda rng, p, n: np.full(n, p[0]),
        laws.constant_log_density, laws.constant_log_survival, has_atoms=True,
    ),
    "exponential": Family(
        (_RATE,), lambda rng, p, n: rng.exponential(1 / p[0], n),
        laws.exponential_log_density, laws.exponential_log_survival, (0, -1),
        by_mean=lambda given: {"rate": 1 / given["mean"]},
    ),
    "gamma": Family(
        (_SHAPE, _SCALE), lambda rng, p, n: rng.gamma(p[0], p[1], n),
        laws.gamma_log_density, laws.gamma_log_survival, (1, 1),
        by_mean=lambda given: {"shape": given["shape"], "scale": given["mean"] / given["shape"]},
    ),
    "weibull": Family(
        (_SHAPE, _SCALE), lambda rng, p, n: p[1] * rng.weibull(p[0], n),
        laws.weibull_log_density, laws.weibull_log_survival, (1, 1),
    ),
    "normal": Family(
        (Parameter("mean", low=-math.inf, scale="own"), Parameter("sd")), _truncated_normal,
        laws.normal_log_density, laws.normal_log_survival, (0, 1),
    ),
    "lognormal": Family(
        (Parameter("mu", low=-math.inf, scale="own"), Parameter("sigma")),
        lambda rng, p, n: rng.lognormal(p[0], p[1], n),
        laws.lognormal_log_density, laws.lognormal_log_survival, (0, 1),
    ),
    "geometric": Family(
        (Parameter("p", high=1.0, scale="logit"),), lambda rng, p, n: rng.geometric(p[0], n).astype(np.float64),
        laws.geometric_log_density, laws.geometric_log_survival, (0, -1), has_atoms=True,
    ),
    # Its bounds are terms of a contract: taken as given, never inferred.
    "uniform": Family(
        (Parameter("low", closed=True, scale="given"), Parameter("high", scale="given")),
        lambda rng, p, n: rng.uniform(p[0], p[1], n),
        laws.uniform_log_density, laws.uniform_log_survival,
    ),
    # The two below describe how people shop, not how long they wait.
    "beta": Family((Parameter("a"), Parameter("b")), lambda rng, p, n: rng.beta(p[0], p[1], n)),
    # 1 / gamma: the mean spends of customers in the Gamma-Gamma model (Fader & Hardie 2013, "The Gamma-Gamma
    # Model of Monetary Value", section 2).
    "inverse_gamma": Family(
        (_SHAPE, _SCALE), lambda rng, p, n: p[1] / rng.gamma(p[0], 1.0, n),
        by_mean=lambda given: {"shape": given["shape"], "scale": given["mean"] * (given["shape"] - 1)},
    ),
}  # fmt: skip

#: The distributions of a wish to cancel and of a natural end.
WAITING = tuple(name for name, family in FAMILIES.items() if family.log_density is not None)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution with its parameters: `name` is a key of FAMILIES. Made from a file by `read_distribution`."""

    name: str
    parameters: Mapping[str, float]
    values: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.parameters[each.name] for each in self.family.parameters))

    @property
    def family(self) -> Family:
        return FAMILIES[self.name]

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` independent draws, shape (count,)."""
        return self.family.sample(rng, self.values, count)

    def log_pdf(self, t: Floats) -> Floats:
        """Log density at t (n,); of a distribution with atoms their log mass, -inf elsewhere."""
        family = self.family
        if family.log_density is None:
            raise TypeError(f"{self.name} is no distribution of waiting times")
        density = family.log_density(np.asarray(t, dtype=np.float64), self.values)
        if not family.has_atoms:
            return np.where(np.asarray(t) < 0, -np.inf, density)
        peak = -math.log(WIDTH) - 0.5 * math.log(2 * math.pi)
        return np.where(self._on_atom(t), density - peak, -np.inf)

    def log_sf(self, t: Floats) -> Floats:
        """Log P(X > t), exact also where there are atoms."""
        family, times = self.family, np.asarray(t, dtype=np.float64)
        if family.log_survival is None:
            raise TypeError(f"{self.name} is no distribution of waiting times")
        if self.name == "constant":
            return np.where(times < self.values[0], 0.0, -np.inf)
        if self.name == "geometric":
            times = np.floor(times)
        return np.where(times < 0, 0.0, family.log_survival(times, self.values))

    def with_values(self, values: Sequence[float]) -> Distribution:
        """The same family with other values, in the registry's order."""
        names = [each.name for each in self.family.parameters]
        return Distribution(self.name, dict(zip(names, map(float, values), strict=True)))

    def _on_atom(self, t: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        times = np.asarray(t, dtype=np.float64)
        atom = self.values[0] if self.name == "constant" else np.maximum(np.rint(times), 1.0)
        return np.asarray(times == atom)
