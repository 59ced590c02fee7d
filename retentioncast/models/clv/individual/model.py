"""Hierarchical lifetime value with a purchase rate, a dropout probability and a scale of spend for every customer.

The same model as HierarchicalCLV, with nothing integrated out: what is drawn are the customers too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.clv.config import CLVConfig, InvalidConfig
from retentioncast.models.clv.hierarchical import HierarchicalCLV, Sampler
from retentioncast.models.clv.individual.chosen import Chosen, choose_customers
from retentioncast.models.clv.individual.density import IndividualDensity
from retentioncast.models.clv.individual.given_population import COLUMNS, draw_effects, tell_effects
from retentioncast.models.clv.individual.purchase_effects import PurchaseEffects
from retentioncast.models.clv.individual.sampled import tell_buyers, tell_spenders
from retentioncast.models.clv.individual.sampling import sample_individuals
from retentioncast.models.clv.individual.spend_effects import SpendEffects
from retentioncast.models.clv.parts import CustomerRows
from retentioncast.models.clv.predictive import chunks
from retentioncast.models.clv.segment_value import by_code, read_customers, seed_of
from retentioncast.models.pooling.pool import Start, keep_draws
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.stored import NotFitted
from retentioncast.models.uncertainty.priors import LogNormal

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

#: Who is taken where there are too many must not depend on the seed of the draws: another seed tells their error.
_CHOICE = 1


class IndividualCLV(HierarchicalCLV):
    """Value of customers in segments, BG/NBD and Gamma-Gamma, each customer with parameters of its own.

    `fit`, `predict`, `save`, `load` are those of HierarchicalCLV, and so is the posterior of population and segments; a
    trace has each customer's `purchase_rate` and `dropout`, or `spend_rate`. Of more than `max_individuals` customers
    NUTS sees a sample, as many of each segment as fit; all others' effects follow exactly from the population's draws.
    """

    def __init__(
        self,
        config: CLVConfig | None = None,
        family: str = "BG/NBD",
        time_unit: TimeUnit = "week",
        priors: Mapping[str, LogNormal] | None = None,
    ) -> None:
        super().__init__(config, family, time_unit, priors)
        if family != "BG/NBD":
            raise InvalidConfig(f"there is no individual form of {family}.", "Take BG/NBD, or HierarchicalCLV.")
        self._chosen: dict[str, Chosen] = {}
        self._index = pd.Index([])

    def pymc_model(self, part: str = "purchases") -> pm.Model:
        """The model of a part ("purchases" or "spend", money divided by rescale_factor) in PyMC's words."""
        from retentioncast.models.clv.individual.pymc_model import make_pymc_model

        self._built()
        return make_pymc_model(self._density(part))

    def predict(
        self,
        customers: pd.DataFrame,
        horizon_days: float = 364.0,
        discount_rate: float = 0.10,
        draws: int = 200,
        seed: int = 0,
    ) -> pd.DataFrame:
        """What HierarchicalCLV tells, and of each customer `probability_alive`, `purchase_rate` (a time unit) and
        `dropout` (after a purchase) in the mean, the median of `mean_spend` (an order), each but the first with the
        bounds of 80 % (`purchase_rate_low_80`, ...)."""
        told = super().predict(customers, horizon_days, discount_rate, draws, seed)
        return pd.concat([told, self.effects(customers, seed)], axis=1)

    def effects(self, customers: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
        """The posterior of each customer's own parameters, a row a customer; those columns of `predict`.

        Exact given the draws of the segment, whether the customer was in the fit or not; some customers at a time, so
        that memory does not grow with them. A segment never seen is drawn from the population.
        """
        self._fitted()
        model = self._pooled_model()
        rows, codes, _ = read_customers(model, customers)
        told = np.empty((codes.size, len(COLUMNS)))
        for code, places in by_code(codes, customers.index):
            own = seed_of(model, code, seed)
            _, _, of_purchases, of_spend = model.at(code, len(self.pooled_["purchases"].mu), own)
            rng = np.random.default_rng(own)
            for part in chunks(places.size, len(of_purchases)):
                chunk = tuple(column[places[part]] for column in rows)
                found = tell_effects(*draw_effects(chunk, of_purchases, of_spend, rng))
                told[places[part]] = found[list(COLUMNS)].to_numpy()
        return pd.DataFrame(told, customers.index, list(COLUMNS))

    def sampled_effects(self) -> pd.DataFrame:
        """The same columns as NUTS drew them, a row a customer that it saw: what `effects` is held against.

        The traces are not stored with the model: NotFitted after `load`. NaN of spend for who did not pay twice.
        """
        if not (self.traces_ and self._chosen):
            raise NotFitted("there are no draws of customers.", "Call fit; a stored model leaves its traces behind.")
        bought = tell_buyers(self.traces_["purchases"], self._buyers)
        paid = tell_spenders(self.traces_["spend"], self._spenders, self.config.rescale_factor)
        places = self._chosen["purchases"].places, self._chosen["spend"].places
        told = bought.set_index(places[0]).join(paid.set_index(places[1]), how="outer")
        return told[list(COLUMNS)].set_index(self._index[told.index])

    def _build(self, rows: CustomerRows) -> None:
        super()._build(rows)
        most, paying = self.config.max_individuals, (rows.x > 0) & (rows.m > 0)
        buyers = choose_customers(rows.segments, np.ones(rows.x.size, dtype=np.bool_), most, _CHOICE)
        spenders = choose_customers(rows.segments, paying, most, _CHOICE)
        seen, paid = buyers.places, spenders.places
        self._chosen = {"purchases": buyers, "spend": spenders}
        self._buyers = PurchaseEffects(rows.x[seen], rows.t_x[seen], rows.age[seen], buyers.edges)
        self._spenders = SpendEffects(rows.x[paid], rows.m[paid] / self.config.rescale_factor, spenders.edges)
        self._index = rows.index

    def _density(self, name: str) -> IndividualDensity:
        of = self._buyers if name == "purchases" else self._spenders
        return IndividualDensity(of, self._parts[name].prior, self.config.centred)

    def _draw(self, name: str, sampler: Sampler, seed: int, last: Start | None) -> tuple[Pooled, DataTree]:
        if sampler == "psis":
            reason = "importance weights cannot carry a parameter a customer."
            raise InvalidConfig(reason, "Choose nutpie or pymc, or HierarchicalCLV.")
        asked = self.sampling("pymc" if sampler == "pymc" else "nutpie", seed)
        labels = self._index[self._chosen[name].places].tolist()
        trace = sample_individuals(self._density(name), asked, labels, last)
        return keep_draws(trace, self._parts[name].prior.names, seed), trace

    def _notes(self) -> tuple[str, ...]:
        sampled = (
            f"{name}: the population is told from {each.places.size:,} of {each.of:,} customers"
            for name, each in self._chosen.items()
            if each.places.size < each.of
        )
        return (*super()._notes(), *sampled)
