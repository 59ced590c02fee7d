"""Segments that lend each other strength against each alone and all as one: the log score of customers held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from benchmarks.results import Claim, Result
from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.marginal import pool_by_importance
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.segments import Segments, buying_likelihoods
from retentioncast.models.uncertainty.infer import Asked, infer
from retentioncast.models.uncertainty.priors import centres, spreads
from retentioncast.models.uncertainty.target import make_target

#: Segments of a shop, and how many such shops.
SHOPS = {5: 12, 20: 4, 100: 1, 500: 1}
SCATTER = np.array([0.4, 0.4, 0.3, 0.3])
HELD_OUT, SCORE_DRAWS = 100, 100
WAYS = ("pooled", "alone", "as one")

METHOD = """Shops drawn at random: the centre of each lies somewhere within the family's priors, each segment's BG/NBD
parameters scatter (0.3 to 0.4 in the logs) about it, its size is log-normal about 30 customers (5 at least). Fitted are
the segments pooled, each alone (with the family's priors) and all customers as one; scored are {held_out} further
customers of each segment by the log of the posterior's mean predictive density, a customer. Differences to `pooled`
with the standard error over segments."""

Columns = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """What is fitted, what is held out (a likelihood a segment each), the true logs, and the sizes."""

    own: list[Likelihood]
    together: Likelihood
    held_out: list[Likelihood]
    truth: Floats
    sizes: Integers


def draw_shop(segments: int, seed: int) -> Shop:
    """A shop of so many segments of unequal size."""
    rng = np.random.default_rng(seed)
    priors = BetaGeo().priors()
    centre = centres(priors) + 0.5 * spreads(priors) * rng.standard_normal(4)
    truth = centre + SCATTER * rng.standard_normal((segments, 4))
    sizes = np.maximum(5, rng.lognormal(np.log(30), 1.0, segments)).astype(np.int64)
    own, held_out = (_customers(truth, each, rng) for each in (sizes, np.full(segments, HELD_OUT)))
    everybody = BetaGeo()._likelihood(group_rows(own[1]))
    return Shop(_likelihoods(*own), everybody, _likelihoods(*held_out), truth, sizes)


def compare(shop: Shop, seed: int) -> tuple[dict[str, Floats], Pooled, Floats]:
    """Log scores a customer of each segment (segments,) by way, the pooled fit, and the logs of each alone."""
    prior = make_hyper_prior(BetaGeo().priors())
    pooled, _ = pool_by_importance(shop.own, prior, 1000, seed, None)
    target = [make_target(each, BetaGeo().priors(), 7.0) for each in (*shop.own, shop.together)]
    *alone, one = (infer(each, Asked(prior.names, seed)).posterior.draws for each in target)
    draws: dict[str, Callable[[int], Floats]] = {
        "pooled": pooled.of_segment, "alone": alone.__getitem__, "as one": lambda _: one
    }  # fmt: skip
    scores = {way: np.array([_score(each, of(i)) for i, each in enumerate(shop.held_out)]) for way, of in draws.items()}
    return scores, pooled, np.array([np.log(each).mean(axis=0) for each in alone])


def run_segments(shops: dict[int, int] | None = None) -> Result:
    """All shops; the plot is of the first one of 20 segments (or of the smallest)."""
    found: dict[int, list[dict[str, Floats]]] = {}
    plotted: dict[str, Any] = {}
    for segments, count in (shops or SHOPS).items():
        for number in range(count):
            shop = draw_shop(segments, 1000 * segments + number)
            scores, pooled, alone = compare(shop, number)
            found.setdefault(segments, []).append(scores)
            if not plotted or (segments == 20 and number == 0):
                plotted = _plotted(shop, pooled, alone)
    return _result(found, plotted)


def _result(found: dict[int, list[dict[str, Floats]]], plotted: dict[str, Any]) -> Result:
    table, claims = [], []
    for segments, shops in found.items():
        scores = {way: np.concatenate([each[way] for each in shops]) for way in WAYS}
        worse = [scores["pooled"] - scores[way] for way in WAYS[1:]]
        cells = [f"{d.mean():.4f} ± {d.std() / np.sqrt(d.size):.4f}" for d in worse]
        table.append((f"{segments}", f"{len(shops)}", f"{scores['pooled'].mean():.4f}", *cells))
        for way, difference in zip(WAYS[1:], worse, strict=True):
            text = f"{segments} segments: log score a customer, pooled above {way}"
            claims.append(Claim(text, float(difference.mean()), 0.0, "nats", at_least=True))
    headings = ("segments", "shops", "pooled", "better than alone", "better than as one")
    method = " ".join(METHOD.format(held_out=HELD_OUT).split())
    return Result("segments", "Segments that lend each other strength", method, headings, table, claims, plotted)


def _plotted(shop: Shop, pooled: Pooled, alone: Floats) -> dict[str, Any]:
    """log of the rate r / alpha of each segment: alone, pooled, in truth."""

    def rate(logs: Floats) -> list[float]:
        found: list[float] = np.exp(logs[..., 0] - logs[..., 1]).tolist()
        return found

    means = {"alone": rate(alone), "pooled": rate(pooled.theta.mean(axis=0)), "truth": rate(shop.truth)}
    return {"kind": "shrinkage", "sizes": shop.sizes.tolist(), "centre": rate(pooled.mu.mean(axis=0)), **means}


def _customers(truth: Floats, sizes: Integers, rng: np.random.Generator) -> tuple[Segments, Columns]:
    parts = []
    for logs, size in zip(truth, sizes, strict=True):
        model = BetaGeo()
        model.params_ = dict(zip(model.parameter_names, np.exp(logs).tolist(), strict=True))
        age = rng.integers(10, 80, size).astype(np.float64)
        parts.append(model.sample(int(size), age, int(rng.integers(2**31))))
    together = pd.concat(parts)
    x, t_x, age = (together[name].to_numpy(np.float64) for name in PURCHASE_COLUMNS)
    edges = np.concatenate([[0], np.cumsum(sizes)])
    return Segments(tuple(map(str, range(len(sizes)))), np.arange(x.size), edges), (x, t_x, age)


def _likelihoods(segments: Segments, columns: Columns) -> list[Likelihood]:
    return buying_likelihoods(BetaGeo(), columns, segments)


def _score(held_out: Likelihood, draws: Floats) -> float:
    """Log of the posterior's mean density of all held-out customers together, a customer."""
    points = held_out.points_of(draws[:: max(1, len(draws) // SCORE_DRAWS)])
    values = [held_out.objective()(point)[0] - held_out.log_unit_sum for point in points]
    return float(logsumexp(values) - np.log(len(values))) / held_out.n_customers
