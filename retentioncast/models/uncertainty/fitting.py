"""How a model is fitted: by maximum likelihood or with priors, from nothing or from where the last run ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict, get_args

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.optimum_from import maximise_from
from retentioncast.models.uncertainty.infer import Asked, find_mode, infer
from retentioncast.models.uncertainty.posterior import Posterior
from retentioncast.models.uncertainty.priors import LogNormal, centres, sample_priors, spreads
from retentioncast.models.uncertainty.target import make_target

Method = Literal["mle", "map", "laplace", "nuts"]
_PRIOR_DRAWS = 1000


class Fitted(Protocol):
    """A model that was fitted before."""

    params_: dict[str, float]
    posterior_: Posterior | None


class Fitting(TypedDict, total=False):
    """How to fit, beside the data.

    `method`: "mle" (the default), the maximum of the likelihood; "map", that of the posterior; "laplace", its draws by
    importance around the mode, by NUTS where Pareto k > 0.7; "nuts", by NUTS always. `priors`: in place of the
    defaults, by name. `start`: the last run's model or parameters, to begin there and to reweight its draws. `seed`:
    of the draws.
    """

    method: Method
    priors: Mapping[str, LogNormal] | None
    start: Fitted | Mapping[str, float] | None
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """What a model takes over: parameters (k,) in the data's units, covariance (k, k) of their logs, and the rest."""

    values: Floats
    covariance: Floats
    log_likelihood: float
    method: Method
    notes: tuple[str, ...]
    posterior: Posterior | None = None
    prior_only: bool = False


_KNOWN = ", ".join(Fitting.__annotations__)


class CannotFit(InvalidInput, ValueError):
    """The way to fit that was asked for does not exist or has nothing to begin with. Nothing was fitted."""


def method_of(how: Fitting) -> Method:
    """The method asked for. Raises CannotFit for one that does not exist, or for anything else that no fit knows."""
    if strange := sorted(set(how) - set(Fitting.__annotations__)):
        raise CannotFit(f"this model is not fitted with {strange[0]!r}.", f"Leave it out; {_KNOWN} are known.")
    method = how.get("method", "mle")
    if method not in get_args(Method):
        raise CannotFit(f"there is no method {method!r}.", f"Choose one of {', '.join(get_args(Method))}.")
    return method


def fit_by(likelihood: Likelihood, priors: Mapping[str, LogNormal], days_per_unit: float, how: Fitting) -> Fit:
    """The fit of a likelihood whose parameters are those of the priors, in their order."""
    method, names = method_of(how), tuple(priors)
    last = last_point(likelihood, names, how.get("start"))
    if method == "mle":
        objective, starts = likelihood.objective(), likelihood.start_points()
        n = likelihood.n_customers
        optimum, note = maximise_from(last, objective, starts, names, n, likelihood.rehearsal())
        return _fit_at(likelihood, optimum.log_parameters, optimum.covariance, method, (note,) if note else ())
    target = make_target(likelihood, priors, days_per_unit)
    if method == "map":
        optimum, note = find_mode(target, names, last)
        return _fit_at(likelihood, optimum.log_parameters, optimum.covariance, method, (note,) if note else ())
    before = getattr(how.get("start"), "posterior_", None)
    found = infer(target, Asked(names, how.get("seed", 0), method == "nuts", last, before))
    points = likelihood.points_of(found.posterior.draws)
    centre = points.mean(axis=0) if found.mode is None else found.mode.log_parameters
    return _fit_at(likelihood, centre, np.cov(points.T), method, found.notes, found.posterior)


def fit_priors(priors: Mapping[str, LogNormal], days_per_unit: float, why: str, how: Fitting) -> Fit:
    """The priors in place of a posterior: what is known of a shop before it has data."""
    draws = sample_priors(priors, _PRIOR_DRAWS, how.get("seed", 0), days_per_unit)
    centre, spread = centres(priors, days_per_unit), spreads(priors)
    log_density = -0.5 * np.square((np.log(draws) - centre) / spread).sum(axis=1)
    posterior = Posterior(tuple(priors), draws, log_density, "prior", float("nan"), float(_PRIOR_DRAWS))
    note = f"the priors alone, no data: {why}"
    return Fit(np.exp(centre), np.diag(spread**2), 0.0, method_of(how), (note,), posterior, prior_only=True)


def last_point(
    likelihood: Likelihood, names: tuple[str, ...], start: Fitted | Mapping[str, float] | None
) -> Floats | None:
    """Where the last run ended, as a point (k,). Raises CannotFit when it holds other parameters or none."""
    if start is None:
        return None
    last = start if isinstance(start, Mapping) else start.params_
    if set(last) != set(names) or not all(np.isfinite(last[name]) and last[name] > 0 for name in names):
        raise CannotFit(f"cannot start at {dict(last)}.", f"Pass {', '.join(names)}, each above 0 and finite.")
    return likelihood.points_of(np.array([last[name] for name in names]))


def _fit_at(
    likelihood: Likelihood,
    point: Floats,
    covariance: Floats,
    method: Method,
    notes: tuple[str, ...],
    posterior: Posterior | None = None,
) -> Fit:
    log_likelihood = likelihood.objective()(point)[0] - likelihood.log_unit_sum
    return Fit(likelihood.parameters_at(point), covariance, float(log_likelihood), method, notes, posterior)
