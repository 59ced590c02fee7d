"""Point estimates: EM steps towards a mode of the posterior, and the mode itself with its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum, maximise
from retentioncast.models.populations.density import Posterior

_EM_TOLERANCE = 1e-5
#: Steps of EM before the mode is climbed to directly: they walk where a climb would jump.
WARM_STEPS = 15
_STARTS = 3
_LIMIT = 11.5


@dataclass(frozen=True, slots=True)
class Steps:
    """Where EM ended and the log posterior after each step, which never falls."""

    u: Floats
    log_densities: tuple[float, ...]

    @property
    def converged(self) -> bool:
        last = self.log_densities[-2:]
        return len(last) == 2 and last[1] - last[0] < _EM_TOLERANCE * (1 + abs(last[1]))


def walk(posterior: Posterior, start: Floats, most: int = 500) -> Steps:
    """Generalised EM (Dempster, Laird & Rubin 1977): segments' shares of each row, then what is likeliest given them.

    The M step is exact for the mix and some quasi-Newton steps for the rest, so each step climbs.
    """
    u, seen = start, [posterior.log_density(start)]
    for _ in range(most):
        u = _improve(posterior, _mix_step(posterior, u))
        seen.append(posterior.log_density(u))
        if seen[-1] - seen[-2] < _EM_TOLERANCE * (1 + abs(seen[-1])) * 0.1:
            break
    return Steps(u, tuple(seen))


def find_mode(posterior: Posterior, seed: int) -> Optimum:
    """The highest mode from the stated parameters and two draws of the prior. Raises FitFailed."""
    rng = np.random.default_rng(seed)
    starts = [posterior.layout.start()]
    draws = posterior.layout.prior_draws(_STARTS - 1, rng)
    for draw in draws:
        begin = starts[0].copy()
        begin += 0.5 * (np.clip(draw, -3, 3) - begin) * _free(posterior)
        starts.append(begin)
    warm = [walk(posterior, start, WARM_STEPS).u for start in starts]
    clipped = [np.clip(each, -_LIMIT, _LIMIT) for each in warm]
    n = max(posterior.rows.n_customers, 1.0)
    return maximise(posterior.log_density_and_gradient, _distinct(clipped), posterior.layout.names, n)


def _free(posterior: Posterior) -> Floats:
    """1 for what a start may differ in; a constant starts where it was seen."""
    layout = posterior.layout
    return np.array([1.0] * layout.n_mix + [0.0 if slot.anchor is not None else 1.0 for slot in layout.slots])


def _distinct(points: list[Floats]) -> list[Floats]:
    found: list[Floats] = []
    for point in points:
        if all(np.abs(point - other).max() > 0.02 for other in found):
            found.append(point)
    return found


def _mix_step(posterior: Posterior, u: Floats) -> Floats:
    """The likeliest mix given the segments' shares, under the Dirichlet prior of the log ratios."""
    layout = posterior.layout
    counts = posterior.rows.weights @ posterior.segment_shares(u) + layout.dirichlet
    moved = u.copy()
    moved[: layout.n_mix] = np.log(counts[:-1] / counts[-1])
    return moved


def _improve(posterior: Posterior, u: Floats) -> Floats:
    """Some steps on the marginal posterior with the mix held, which climb the expected one too."""
    held = posterior.layout.n_mix
    if held == u.size:
        return u

    def loss(rest: Floats) -> tuple[float, Floats]:
        value, gradient = posterior.log_density_and_gradient(np.concatenate([u[:held], rest]))
        return -value, -gradient[held:]

    box = [(-_LIMIT, _LIMIT)] * (u.size - held)
    result = minimize(loss, np.clip(u[held:], -_LIMIT, _LIMIT), jac=True, method="L-BFGS-B", bounds=box,
                      options={"maxiter": 3})  # fmt: skip
    return np.concatenate([u[:held], result.x])
