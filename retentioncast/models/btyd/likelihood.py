"""What a family of models says of its grouped rows: all that fitting and the posterior need to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import LogLikelihood

#: Weighted log likelihood and its gradient (k,) in the parameters themselves.
Kernel = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A log likelihood of positive parameters, in units in which they are near 1.

    `kernel` takes scaled parameters (k,); a scaled parameter times its entry of `units` is in the data's units, and the
    kernel's value less `log_unit_sum` is the log likelihood of the data as given. `starts` are scaled parameters.
    A *point* is the log of the scaled parameters: what is searched and sampled, free of bounds.
    `sample` is that of some rows which stand for all, where there are many: maxima are looked for in it first.
    """

    kernel: Kernel
    starts: tuple[tuple[float, ...], ...]
    units: Floats
    log_unit_sum: float
    n_groups: int
    n_customers: float
    sample: Likelihood | None = None

    def objective(self) -> LogLikelihood:
        """The log likelihood and its gradient at a point (k,)."""

        def of_logs(log_parameters: Floats) -> tuple[float, Floats]:
            scaled = np.exp(log_parameters)
            value, gradient = self.kernel(scaled)
            return value, gradient * scaled

        return of_logs

    def rehearsal(self) -> LogLikelihood | None:
        """What the sample says at this likelihood's points, up to a constant."""
        if self.sample is None:
            return None
        objective, shift = self.sample.objective(), np.log(self.units) - np.log(self.sample.units)
        return lambda point: objective(point + shift)

    def parameters_at(self, points: Floats) -> Floats:
        """Parameters (..., k) in the data's units at points (..., k)."""
        return np.asarray(np.exp(points) * self.units)

    def points_of(self, parameters: Floats) -> Floats:
        """The points (..., k) of parameters (..., k) in the data's units."""
        return np.asarray(np.log(parameters) - np.log(self.units))

    def start_points(self) -> list[Floats]:
        """Where the search for the maximum begins."""
        return [np.log(np.array(start)) for start in self.starts]
