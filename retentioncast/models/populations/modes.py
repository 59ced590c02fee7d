"""Point estimates: EM steps towards the modes of the posterior, and the modes themselves with their covariances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice, permutations

import numpy as np
from scipy.optimize import minimize

from retentioncast.core.errors import FitFailed
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.optimum import Optimum, maximise
from retentioncast.models.populations.density import Posterior
from retentioncast.models.populations.proposals import log_mass

_EM_TOLERANCE = 1e-5
#: Steps of EM before the mode is climbed to directly: they walk where a climb would jump.
WARM_STEPS = 6
#: Of 6 descriptions whose segments overlap two have two modes of weight; of one, a start in five ends in a lesser mode.
_STARTS, _CLIMBS = 10, 5
#: So often segments take each other's customers, while that leads higher.
_DEALS = 2
_LIMIT = 11.5
#: Log likelihood of a row under a segment that has no such rows: off its atoms, beyond its bounds.
_CANNOT_BE = -1e6
#: A mode whose mass is smaller by this in logarithm (a factor of 3,000) is left out.
_NO_MASS = 8.0


@dataclass(frozen=True, slots=True)
class Steps:
    """Where EM ended and the log posterior after each step, which never falls."""

    u: Floats
    log_densities: tuple[float, ...]


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
    """The highest mode that `find_modes` finds. Raises FitFailed."""
    return find_modes(posterior, seed)[0]


def find_modes(posterior: Posterior, seed: int) -> list[Optimum]:
    """The modes that hold some mass, the highest first: from the stated parameters and from draws of the prior.

    Short walks from many places, the full climb from the best of them; then from the highest, with segments' customers
    dealt to each other. Raises FitFailed where none leads to a mode.
    """
    walks = [walk(posterior, start, WARM_STEPS) for start in _starts(posterior, seed)]
    walks.sort(key=lambda steps: steps.log_densities[-1], reverse=True)
    points = _distinct([np.clip(steps.u, -_LIMIT, _LIMIT) for steps in walks])[:_CLIMBS]
    found = _climb_all(posterior, points, [])
    for _ in range(_DEALS):
        highest = found[0]
        found = _climb_all(posterior, _dealt_anew(posterior, highest), found)
        if found[0] is highest:
            break
    least = max(map(log_mass, found)) - _NO_MASS
    return [found[0], *(mode for mode in found[1:] if log_mass(mode) > least)]


def _climb_all(posterior: Posterior, points: list[Floats], known: list[Optimum]) -> list[Optimum]:
    """The known modes and those above the points, the highest first. Raises FitFailed where there is none."""
    found = list(known)
    failure = FitFailed("no start leads to a mode.", "Look for extreme values in the data.")
    for point in points:
        near = _climb(posterior, point, found[0]) if found else point
        if any(_same(near, mode) for mode in found):
            continue
        try:
            found.append(_mode_from(posterior, near))
        except FitFailed as error:
            failure = error
    if not found:
        raise failure
    return sorted(found, key=lambda mode: mode.log_likelihood, reverse=True)


def _dealt_anew(posterior: Posterior, mode: Optimum) -> list[Floats]:
    """Starts in which segments take each other's customers, as those of other families can: no short walk does that."""
    shares, count = posterior.segment_shares(mode.log_parameters), len(posterior.layout.segments)
    can_be = posterior.segment_terms(posterior.layout.etas(mode.log_parameters)) > _CANNOT_BE
    orders = list(islice(permutations(range(count)), 1, None)) if count <= 3 else _swaps(count)
    return [_fit_to(posterior, mode.log_parameters, shares[:, list(order)] * can_be) for order in orders]


def _swaps(count: int) -> list[list[int]]:
    found = []
    for i, j in combinations(range(count), 2):
        order = list(range(count))
        order[i], order[j] = j, i
        found.append(order)
    return found


def _fit_to(posterior: Posterior, start: Floats, shares: Floats) -> Floats:
    """One M step from `start` to given shares (m, K), and a short walk from there."""

    def loss(u: Floats) -> tuple[float, Floats]:
        value, gradient = posterior.expected(u, shares)
        return -value, -gradient

    box = [(-_LIMIT, _LIMIT)] * start.size
    result = minimize(loss, np.clip(start, -_LIMIT, _LIMIT), jac=True, method="L-BFGS-B", bounds=box,
                      options={"maxiter": 25})  # fmt: skip
    return np.asarray(np.clip(walk(posterior, result.x, WARM_STEPS).u, -_LIMIT, _LIMIT))


def _mode_from(posterior: Posterior, point: Floats) -> Optimum:
    n = max(posterior.rows.n_customers, 1.0)
    return maximise(posterior.log_density_and_gradient, [point], posterior.layout.names, n)


def _climb(posterior: Posterior, point: Floats, known: Optimum) -> Floats:
    """Up from the point, in coordinates in which a known mode is round: a third of the steps."""
    root = np.linalg.cholesky(known.covariance)

    def loss(z: Floats) -> tuple[float, Floats]:
        value, gradient = posterior.log_density_and_gradient(np.clip(point + root @ z, -_LIMIT, _LIMIT))
        return -value, -root.T @ gradient

    result = minimize(loss, np.zeros(point.size), jac=True, method="L-BFGS-B", options={"ftol": 1e-10})
    return np.asarray(np.clip(point + root @ result.x, -_LIMIT, _LIMIT))


def _same(point: Floats, mode: Optimum) -> bool:
    """Less than a fifth of a standard deviation from a mode, in every direction together."""
    away = np.linalg.solve(np.linalg.cholesky(mode.covariance), point - mode.log_parameters)
    return bool(np.linalg.norm(away) < 0.2)


def _starts(posterior: Posterior, seed: int) -> list[Floats]:
    """The stated parameters, and draws of the prior: half of them drawn half-way towards what was stated."""
    stated = posterior.layout.start()
    draws = posterior.layout.prior_draws(_STARTS - 1, np.random.default_rng(seed))
    reach = np.where(np.arange(_STARTS - 1) % 2, 1.0, 0.5)[:, None] * _free(posterior)
    return [stated, *(stated + reach * (np.clip(draws, -3, 3) - stated))]


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
