"""Shops of segments whose every customer is followed to the end of the horizon: what was seen, and what came then.

Customer by customer and order by order, without the models' own code for futures: that is what is being checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.pooling.hyper import SCATTER_SPREAD, HyperPrior, make_hyper_prior

#: Segments of the fit, and one more that it never sees; the median of their sizes.
SEGMENTS, TYPICAL_SIZE = 8, 60
UNSEEN = f"segment {SEGMENTS}"
HORIZON_DAYS, DISCOUNT_RATE = 364.0, 0.10
_DAYS_PER_YEAR = 365.25
#: More orders than this before the horizon's end: no shop.
MOST_ORDERS = 3000


@dataclass(frozen=True, slots=True, eq=False)
class ValueShop:
    """A summary with `segment` and, on its rows, what each customer then brought, discounted."""

    summary: pd.DataFrame
    brought: Floats


def draw_value_shop(number: int) -> ValueShop | None:
    """Population, segments and customers drawn from the model's own priors; None where somebody orders too often."""
    rng = np.random.default_rng([number, 20])
    sizes = np.maximum(5, rng.lognormal(np.log(TYPICAL_SIZE), 0.8, SEGMENTS + 1)).astype(np.int64)
    buying, spend = (_segments(make_hyper_prior(of.priors()), rng) for of in (BetaGeo(), GammaGamma()))
    return follow(buying, spend, sizes, rng)


def follow(buying: Floats, spend: Floats, sizes: Integers, rng: np.random.Generator) -> ValueShop | None:
    """So many customers of each segment, of parameters (segments, 4) of BG/NBD and (segments, 3) of Gamma-Gamma."""
    segment = np.repeat(np.arange(sizes.size), sizes)
    age = rng.uniform(10, 80, segment.size)
    timeline = _orders(buying[segment], age + HORIZON_DAYS / 7, rng)
    if timeline is None:
        return None
    customer, when = timeline
    money, past = _money(spend[segment], customer, rng), when <= age[customer]
    summary = _summary(customer[past], when[past], money[past], age)
    days = 7 * (when - age[customer])[~past]
    worth = money[~past] * (1 + DISCOUNT_RATE) ** (-days / _DAYS_PER_YEAR)
    brought = np.bincount(customer[~past], worth, minlength=age.size)
    return ValueShop(summary.assign(segment=[f"segment {i}" for i in segment]), brought)


def _segments(prior: HyperPrior, rng: np.random.Generator) -> Floats:
    """Parameters (segments + 1, k)."""
    k = len(prior.names)
    mu = prior.centre + prior.spread * rng.standard_normal(k)
    tau = prior.scatter * np.exp(SCATTER_SPREAD * rng.standard_normal(k))
    return np.exp(mu + tau * rng.standard_normal((SEGMENTS + 1, k)))


def _orders(parameters: Floats, end: Floats, rng: np.random.Generator) -> tuple[Integers, Floats] | None:
    """Customer and time of each repeat order until `end` (n,), from parameters (n, 4): r, alpha, a, b of BG/NBD."""
    r, alpha, a, b = parameters.T
    rate, leaving = rng.gamma(r) / alpha, rng.beta(a, b)
    customer, now = np.arange(end.size), np.zeros(end.size)
    customers, times = [customer[:0]], [now[:0]]
    for _ in range(MOST_ORDERS):
        with np.errstate(divide="ignore"):
            now[customer] += rng.exponential(size=customer.size) / rate[customer]
        customer = customer[now[customer] <= end[customer]]
        if not customer.size:
            return np.concatenate(customers), np.concatenate(times)
        customers.append(customer)
        times.append(now[customer])
        customer = customer[rng.random(customer.size) >= leaving[customer]]
    return None


def _money(parameters: Floats, customer: Integers, rng: np.random.Generator) -> Floats:
    """What each order costs, from p, q, v (n, 3) of Gamma-Gamma."""
    p, q, v = parameters.T
    nu = rng.gamma(q) / v
    return np.asarray(rng.gamma(p[customer]) / nu[customer])


def _summary(customer: Integers, when: Floats, money: Floats, age: Floats) -> pd.DataFrame:
    """What a shop knows of its customers (n,) at their age."""
    bought = np.bincount(customer, minlength=age.size).astype(np.float64)
    last = np.zeros(age.size)
    np.maximum.at(last, customer, when)
    mean = np.bincount(customer, money, minlength=age.size) / np.maximum(bought, 1)
    return pd.DataFrame({"frequency": bought, "recency": last, "T": age, "monetary_value": mean})
