"""Hierarchical lifetime value: segments with their own purchase and spend parameters, which lend each other strength.

Purchases by BG/NBD (or another family), spend by Gamma-Gamma; of segment s the logs of the parameters are
theta_s ~ Normal(mu, tau), non-centred. Customers are integrated out, equal rows put together: no parameter a customer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.clv.config import CLVConfig, InvalidConfig
from retentioncast.models.clv.parts import CustomerRows, Part, buying_part, read_rows, spend_part
from retentioncast.models.clv.predictive import Futures
from retentioncast.models.clv.preprocessing import File
from retentioncast.models.clv.segment_value import PooledModel, Valued, value_customers
from retentioncast.models.clv.stored_value import read_bytes, write_bytes
from retentioncast.models.pooling.joint import JointDensity, SegmentsLikelihood
from retentioncast.models.pooling.marginal import pool_by_importance
from retentioncast.models.pooling.pool import Start, pool, pool_by_nuts
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling
from retentioncast.models.stored import NotFitted
from retentioncast.models.uncertainty.importance import DRAWS
from retentioncast.models.uncertainty.priors import LogNormal

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

Sampler = Literal["auto", "psis", "nutpie", "pymc"]
PARTS = ("purchases", "spend")


class HierarchicalCLV:
    """Value of customers in segments. `fit` a summary with a column `segment`, then `predict` from one.

    After `fit`: `segments_` (names), `sizes_` (customers of each), `pooled_` (Pooled by part: "purchases", "spend", in
    money), `traces_` (ArviZ's trees by part), `notes_`.
    """

    def __init__(
        self,
        config: CLVConfig | None = None,
        family: str = "BG/NBD",
        time_unit: TimeUnit = "week",
        priors: Mapping[str, LogNormal] | None = None,
    ) -> None:
        if family not in FAMILIES:
            raise InvalidConfig(f"there is no family {family!r}.", f"Choose one of {', '.join(FAMILIES)}.")
        self.config = config or CLVConfig()
        self.family = family
        self.time_unit: TimeUnit = time_unit
        self.priors = dict(priors or {})
        self.segments_: tuple[str, ...] = ()
        self.sizes_: tuple[int, ...] = ()
        self.pooled_: dict[str, Pooled] = {}
        self.traces_: dict[str, DataTree] = {}
        self.notes_: tuple[str, ...] = ()
        self._parts: dict[str, Part] = {}

    def build_model(self, summary: pd.DataFrame, segment: str = "segment") -> Self:
        """Take a summary in lifetimes' shape with each customer's segment; nothing is fitted yet.

        A single segment is allowed: how far segments differ is then the prior's. Raises InvalidColumn (a ValueError)
        for bad values, NotEnoughData below 10 customers or 10 who bought again and paid.
        """
        self._build(read_rows(summary, segment, self.time_unit))
        return self

    def _build(self, rows: CustomerRows) -> None:
        segments, of_purchases = rows.segments, (rows.x, rows.t_x, rows.age)
        self.segments_, self.sizes_ = segments.names, tuple(segments.sizes.tolist())
        self._parts = {
            "purchases": buying_part(self._family(), of_purchases, segments, self.priors, self.config),
            "spend": spend_part(rows.x, rows.m, segments, self.priors, self.config),
        }

    def pymc_model(self, part: str = "purchases") -> pm.Model:
        """The model of a part ("purchases" or "spend", money divided by rescale_factor) in PyMC's words."""
        from retentioncast.models.pooling.pymc_model import make_pymc_model

        built = self._built()[part]
        return make_pymc_model(JointDensity(SegmentsLikelihood(built.likelihoods), built.prior, self.config.centred))

    def fit(
        self,
        summary: pd.DataFrame | None = None,
        segment: str = "segment",
        sampler: Sampler = "auto",
        seed: int = 0,
        start: HierarchicalCLV | Mapping[str, Start] | None = None,
    ) -> Self:
        """Draw the posterior; see `build_model` for the data.

        `auto` draws by importance, seconds to minutes, and asks NUTS where the weights cannot be trusted; `psis` does
        not ask; `nutpie` and `pymc` are NUTS with the configuration's numbers. `start` is the last run's model
        or its `population()`: the search begins there. Raises FitFailed.
        """
        if summary is not None:
            self.build_model(summary, segment)
        for name, part in self._built().items():
            last = _last(start, name, part)
            pooled, trace = self._draw(name, sampler, seed, last)
            self.pooled_[name] = replace(pooled, mu=pooled.mu + part.log_unit, theta=pooled.theta + part.log_unit)
            self.traces_[name] = trace
        self.notes_ = self._notes()
        return self

    def tighten(self, spread_between: float) -> None:
        """Another scale of the prior of how far segments differ; the data stay as they are built."""
        self.config = replace(self.config, spread_between=spread_between)
        built = self._built()
        self._parts = {n: replace(p, prior=replace(p.prior, scatter=spread_between)) for n, p in built.items()}

    def predict(
        self,
        customers: pd.DataFrame,
        horizon_days: float = 364.0,
        discount_rate: float = 0.10,
        draws: int = 200,
        seed: int = 0,
    ) -> pd.DataFrame:
        """A row a customer of a summary with `segment`: value, intervals of 50, 80 and 95 %, and `basis`.

        `basis`: own (its purchases count), segment (too few of them: what its segment's customers do), population (a
        segment that was never seen: what a segment drawn from the population does). A customer of a moment ago has
        frequency, recency and T of 0.
        """
        return self.value(customers, Futures(horizon_days, discount_rate, draws, seed=seed)).customers

    def predict_segments(
        self,
        customers: pd.DataFrame,
        horizon_days: float = 364.0,
        discount_rate: float = 0.10,
        draws: int = 200,
        seed: int = 0,
    ) -> pd.DataFrame:
        """A row a segment: its customers, what they will bring together with intervals, and a new customer's value."""
        return self.value(customers, Futures(horizon_days, discount_rate, draws, seed=seed)).segments

    def value(self, customers: pd.DataFrame, asked: Futures) -> Valued:
        """Both at once; see `value_customers`."""
        self._fitted()
        return value_customers(self._pooled_model(), customers, asked)

    def population(self) -> dict[str, Start]:
        """Where the population lies, by part: the mean of mu, the geometric mean of tau (k,)."""
        return {n: (p.mu.mean(axis=0), np.exp(np.log(p.tau).mean(axis=0))) for n, p in self.pooled_.items()}

    def twin(self, parameters: Floats, age: Floats, seed: int) -> pd.DataFrame:
        """Customers of these ages (n,) as the family with these parameters (k,) makes them."""
        family: Any = self._family()
        family.params_ = dict(zip(family.parameter_names, parameters.tolist(), strict=True))
        made: pd.DataFrame = family.sample(age.size, age, seed)
        return made

    def parameters(self) -> pd.DataFrame:
        """Posterior means of the logs of the parameters, taken back: a row a segment."""
        self._fitted()
        columns: dict[str, Floats] = {}
        for name in PARTS:
            pooled = self.pooled_[name]
            centre = np.exp(pooled.theta.mean(axis=0))
            columns |= {f"{name}_{p}": centre[:, j] for j, p in enumerate(pooled.parameter_names)}
        return pd.DataFrame(columns, index=pd.Index(self.segments_, name="segment"))

    def to_bytes(self) -> bytes:
        """The fitted model: netCDF with its hash. The traces stay behind."""
        self._fitted()
        content = {
            "config": self.config.to_content(), "family": self.family, "time_unit": self.time_unit,
            "segments": list(self.segments_), "sizes": list(self.sizes_), "notes": list(self.notes_),
            "parts": {name: {"names": list(p.parameter_names), "source": p.source, "pareto_k": _number(p.pareto_k)}
                      for name, p in self.pooled_.items()},
        }  # fmt: skip
        arrays = {f"{name}_{array}": getattr(p, array) for name, p in self.pooled_.items() for array in _ARRAYS}
        return write_bytes(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave. Raises DamagedModel for anything else."""
        content, arrays = read_bytes(data, cls.__name__)
        model = cls(CLVConfig.from_content(content["config"]), content["family"], content["time_unit"])
        model.segments_, model.sizes_ = tuple(content["segments"]), tuple(content["sizes"])
        model.notes_ = tuple(content["notes"])
        for name, told in content["parts"].items():
            mu, tau, theta, effective = (arrays[f"{name}_{array}"] for array in _ARRAYS)
            k = math.nan if told["pareto_k"] is None else told["pareto_k"]
            model.pooled_[name] = Pooled(tuple(told["names"]), mu, tau, theta, told["source"], k, effective)
        return model

    def save(self, path: File | str) -> None:
        """Write `to_bytes` to a file."""
        (Path(path) if isinstance(path, str) else path).write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: File | str) -> Self:
        """The model that `save` wrote. Raises DamagedModel."""
        return cls.from_bytes((Path(path) if isinstance(path, str) else path).read_bytes())

    def sampling(self, sampler: Literal["nutpie", "pymc"], seed: int) -> Sampling:
        """The configuration as NUTS takes it."""
        of = self.config
        return Sampling(
            sampler, of.num_chains, of.num_samples, of.num_tune, of.target_accept, of.max_tree_depth, seed, of.centred
        )

    def _draw(self, name: str, sampler: Sampler, seed: int, last: Start | None) -> tuple[Pooled, DataTree]:
        part = self._parts[name]
        if sampler == "psis":
            pooled, _ = pool_by_importance(part.likelihoods, part.prior, DRAWS, seed, last)
            return pooled, pooled.to_inference_data()
        if sampler == "auto":
            return pool(part.likelihoods, part.prior, DRAWS, seed, self.sampling("nutpie", seed), last)
        return pool_by_nuts(part.likelihoods, part.prior, self.sampling(sampler, seed))

    def _pooled_model(self) -> PooledModel:
        of = self.pooled_
        return PooledModel(self._family(), self.segments_, of["purchases"], of["spend"], self.config.min_transactions)

    def _family(self) -> RepeatBuyingModel:
        return FAMILIES[self.family](time_unit=self.time_unit)

    def _notes(self) -> tuple[str, ...]:
        notes = [f"{name}: NUTS decided" for name, pooled in self.pooled_.items() if pooled.source == "nuts"]
        if len(self.segments_) == 1:
            notes.append("there is one segment: how far others differ from it is the prior's word alone")
        return tuple(notes)

    def _built(self) -> dict[str, Part]:
        if not self._parts:
            raise NotFitted("this HierarchicalCLV has seen no customers.", "Call fit with a summary.")
        return self._parts

    def _fitted(self) -> None:
        if not self.pooled_:
            raise NotFitted("this HierarchicalCLV is not fitted.", "Call fit, or load it.")


_ARRAYS = ("mu", "tau", "theta", "effective")


def _last(start: HierarchicalCLV | Mapping[str, Start] | None, name: str, part: Part) -> Start | None:
    """Where the last run's population lies, in this part's units; None where there was none of as many parameters."""
    before = start.population() if isinstance(start, HierarchicalCLV) else start or {}
    if name not in before or len(before[name][0]) != len(part.prior.names):
        return None
    mu, tau = before[name]
    return mu - part.log_unit, tau


def _number(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    return value if math.isfinite(value) else None
