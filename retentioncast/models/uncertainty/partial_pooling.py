"""One model a segment, drawn towards each other as far as the data let them: small segments borrow from large ones.

log parameters of segment s = mu + tau z_s, z_s ~ Normal(0, 1) (non-centred), mu ~ the model's priors, tau ~
HalfNormal(0.5): segments differ by a factor of e^0.5 or so unless the data say otherwise. By PyMC, sampled by nutpie.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import require_unit
from retentioncast.models.columns import InvalidColumn
from retentioncast.models.uncertainty.priors import LogNormal, centres, spreads

if TYPE_CHECKING:
    import pymc as pm

#: Standard deviation of the half-normal prior of how much the log parameters differ between segments.
SPREAD_BETWEEN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PooledSegments:
    """Draws (n, segments, k) of each segment's parameters, and (n, k) of their centre mu and spread tau (of the logs).

    `r_hat` and `ess` are the worst over all parameters of all segments.
    """

    segments: tuple[str, ...]
    parameter_names: tuple[str, ...]
    draws: Floats
    centre: Floats
    spread: Floats
    r_hat: float
    ess: float

    def of(self, segment: str) -> Floats:
        """Draws (n, k) of one segment's parameters, as predictions take them."""
        return self.draws[:, self.segments.index(segment)]

    def new_segment(self, seed: int) -> Floats:
        """Draws (n, k) for a segment that nothing is known of yet."""
        noise = np.random.default_rng(seed).standard_normal(self.centre.shape)
        return np.exp(self.centre + self.spread * noise)

    def mean(self) -> pd.DataFrame:
        """Posterior means: a row a segment."""
        return pd.DataFrame(self.draws.mean(axis=0), self.segments, self.parameter_names)


def pool_segments(
    model: RepeatBuyingModel,
    summary: pd.DataFrame,
    segment: str = "segment",
    priors: Mapping[str, LogNormal] | None = None,
    draws: int = 500,
    tune: int = 700,
    seed: int = 0,
) -> PooledSegments:
    """Fit the model's family to a summary in lifetimes' shape with a column that names each customer's segment.

    Raises InvalidColumn (a ValueError) for bad values or a missing segment, NotEnoughData without two segments.
    """
    names, likelihoods = segment_likelihoods(model, summary, segment)
    pooled = pooled_model(likelihoods, model.priors(priors), model.days_per_unit())
    trace = _sample(pooled, draws, tune, seed)
    theta = trace["posterior"]["theta"].to_numpy()
    flat = theta.reshape(-1, *theta.shape[2:])
    mu, tau = (trace["posterior"][name].to_numpy().reshape(len(flat), -1) for name in ("mu", "tau"))
    return PooledSegments(names, model.parameter_names, np.exp(flat), mu, tau, *_worst(theta))


def segment_likelihoods(
    model: RepeatBuyingModel, summary: pd.DataFrame, segment: str
) -> tuple[tuple[str, ...], list[Likelihood]]:
    """The segments in order of their names, and the grouped likelihood of each."""
    require_unit(summary, model.time_unit)
    (of_row,) = from_frame(summary, (segment,))
    if of_row.isna().any():
        raise InvalidColumn(segment, of_row.index[int(of_row.isna().to_numpy().argmax())], None, "names no segment")
    names = tuple(sorted(str(name) for name in of_row.unique()))
    if len(names) < 2:
        raise NotEnoughData(f"there are {len(names)} segments; pooling needs two.", "Use fit for a single one.")
    rows = [summary[(of_row.astype(str) == name).to_numpy()] for name in names]
    return names, [model._likelihood(group_rows(read_purchases(*from_frame(part, PURCHASE_COLUMNS)))) for part in rows]


def pooled_model(likelihoods: list[Likelihood], priors: Mapping[str, LogNormal], days_per_unit: float) -> pm.Model:
    """The PyMC model: mu, tau (k,), z and theta (segments, k), the log parameters in the data's units."""
    import pymc as pm

    from retentioncast.models.uncertainty.pymc_model import log_likelihood_of

    with pm.Model() as model:
        mu = pm.Normal("mu", centres(priors, days_per_unit), spreads(priors))
        tau = pm.HalfNormal("tau", SPREAD_BETWEEN, shape=len(priors))
        z = pm.Normal("z", shape=(len(likelihoods), len(priors)))
        theta = pm.Deterministic("theta", mu + tau * z)
        pm.Potential("log_likelihood", log_likelihood_of(likelihoods, theta))
    return model


def _sample(model: pm.Model, draws: int, tune: int, seed: int) -> Any:
    import nutpie

    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*object mode", category=UserWarning
        )  # the kernel is compiled already
        compiled = nutpie.compile_pymc_model(model)
        return nutpie.sample(
            compiled, draws=draws, tune=tune, chains=4, cores=2, seed=seed, progress_bar=False, save_warmup=False
        )


def _worst(theta: Floats) -> tuple[float, float]:
    """The largest R-hat and the least effective size of draws (chains, draws, segments, k)."""
    from arviz_stats.base import array_stats

    each = theta.reshape(*theta.shape[:2], -1)
    columns = [each[:, :, i] for i in range(each.shape[2])]
    return max(float(array_stats.rhat(c)) for c in columns), min(float(array_stats.ess(c)) for c in columns)
