"""The posterior's density at a point: the likelihood of the data times the priors."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.optimum import LogLikelihood
from retentioncast.models.uncertainty.priors import LogNormal, centres, spreads

#: With fewer rows a kernel is over before another thread has begun.
_THREADS, _WORTH_THREADS = 2, 2000


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Log posterior density (up to a constant) of a point (k,), with its gradient, as the search wants it.

    The priors are normal at points (logs of scaled parameters): `centre` and `spread` (k,). Points are the logs of the
    parameters shifted by constants, so the density is the same whatever the units.
    """

    likelihood: Likelihood
    centre: Floats
    spread: Floats

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        value, gradient = self.likelihood.objective()(point)
        return self._with_priors(point, value - self.likelihood.log_unit_sum, gradient)

    def rehearsal(self) -> LogLikelihood | None:
        """What some rows that stand for all say, up to a constant; None where there are few rows."""
        objective = self.likelihood.rehearsal()
        return None if objective is None else lambda point: self._with_priors(point, *objective(point))

    def _with_priors(self, point: Floats, value: float, gradient: Floats) -> tuple[float, Floats]:
        away = (point - self.centre) / self.spread
        return value - 0.5 * float(away @ away), gradient - away / self.spread

    def densities(self, points: Floats) -> Floats:
        """Log densities (n,) of points (n, k); of many rows two at a time, as the kernels let go of the interpreter."""
        if self.likelihood.n_groups < _WORTH_THREADS:
            found = np.array([self(point)[0] for point in points])
        else:
            with ThreadPoolExecutor(_THREADS) as threads:
                found = np.array(list(threads.map(lambda point: self(point)[0], points)))
        return np.where(np.isfinite(found), found, -np.inf)


def make_target(likelihood: Likelihood, priors: Mapping[str, LogNormal], days_per_unit: float) -> Target:
    """The posterior of a likelihood whose parameters, in the order of the priors, count time in so many days."""
    return Target(likelihood, centres(priors, days_per_unit) - np.log(likelihood.units), spreads(priors))
