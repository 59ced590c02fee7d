"""Segments that lend each other strength against each alone and all as one: the log score of customers held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import logsumexp

from benchmarks.results import Claim, Result
from benchmarks.segment_shops import HELD_OUT, Shop, draw_shop, draw_spend_shop
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.marginal import pool_by_importance
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.uncertainty.infer import Asked, infer
from retentioncast.models.uncertainty.target import make_target

#: Segments of a shop, and how many such shops.
SHOPS = {5: 12, 20: 4, 100: 1, 500: 1}
SCORE_DRAWS = 100
WAYS = ("pooled", "alone", "as one")

METHOD = """Shops drawn at random: the centre of each lies somewhere within the family's priors, each segment's {family}
parameters scatter (0.3 to 0.4 in the logs) about it, its size is log-normal about 30 {customers} (5 at least). Fitted
are the segments pooled, each alone (with the family's priors) and all customers as one; scored are {held_out} further
customers of each segment by the log of the posterior's mean predictive density{of}, a customer. Differences to `pooled`
with the standard error over segments."""


@dataclass(frozen=True, slots=True)
class Part:
    """What of a shop is compared: how it is drawn, and how it is told. `scale` is the sign of each log parameter in the
    quantity that is plotted."""

    name: str
    title: str
    draw: Callable[[int, int], Shop]
    scale: tuple[int, ...]
    ylabel: str
    claim: str
    method: dict[str, str]


PARTS = {
    "purchases": Part(
        "segments", "Segments that lend each other strength", draw_shop, (1, -1, 0, 0), "purchases a week (r / alpha)",
        "log score a customer", {"family": "BG/NBD", "customers": "customers", "of": ""},
    ),
    "spend": Part(
        "segments_spend", "Segments that lend each other strength: spend", draw_spend_shop, (1, -1, 1),
        "spend an order (p v / q)", "log score of a customer's spend",
        {"family": "Gamma-Gamma", "customers": "customers who bought again", "of": " of their mean spend"},
    ),
}  # fmt: skip


def compare(shop: Shop, seed: int) -> tuple[dict[str, Floats], Pooled, Floats]:
    """Log scores a customer of each segment (segments,) by way, the pooled fit, and the logs of each alone."""
    prior = make_hyper_prior(shop.priors)
    pooled, _ = pool_by_importance(shop.own, prior, 1000, seed, None)
    target = [make_target(each, shop.priors, 7.0) for each in (*shop.own, shop.together)]
    *alone, one = (infer(each, Asked(prior.names, seed)).posterior.draws for each in target)
    draws: dict[str, Callable[[int], Floats]] = {
        "pooled": pooled.of_segment, "alone": alone.__getitem__, "as one": lambda _: one
    }  # fmt: skip
    scores = {way: np.array([_score(each, of(i)) for i, each in enumerate(shop.held_out)]) for way, of in draws.items()}
    return scores, pooled, np.array([np.log(each).mean(axis=0) for each in alone])


def run_segments(part: Literal["purchases", "spend"] = "purchases", shops: dict[int, int] | None = None) -> Result:
    """All shops; the plot is of the first one of 20 segments (or of the smallest)."""
    of = PARTS[part]
    found: dict[int, list[dict[str, Floats]]] = {}
    plotted: dict[str, Any] = {}
    for segments, count in (shops or SHOPS).items():
        for number in range(count):
            shop = of.draw(segments, 1000 * segments + number)
            scores, pooled, alone = compare(shop, number)
            found.setdefault(segments, []).append(scores)
            if not plotted or (segments == 20 and number == 0):
                plotted = _plotted(of, shop, pooled, alone)
    return _result(of, found, plotted)


def _result(of: Part, found: dict[int, list[dict[str, Floats]]], plotted: dict[str, Any]) -> Result:
    table, claims = [], []
    for segments, shops in found.items():
        scores = {way: np.concatenate([each[way] for each in shops]) for way in WAYS}
        worse = [scores["pooled"] - scores[way] for way in WAYS[1:]]
        cells = [f"{d.mean():.4f} ± {d.std() / np.sqrt(d.size):.4f}" for d in worse]
        table.append((f"{segments}", f"{len(shops)}", f"{scores['pooled'].mean():.4f}", *cells))
        for way, difference in zip(WAYS[1:], worse, strict=True):
            text = f"{segments} segments: {of.claim}, pooled above {way}"
            claims.append(Claim(text, float(difference.mean()), 0.0, "nats", at_least=True))
    headings = ("segments", "shops", "pooled", "better than alone", "better than as one")
    method = " ".join(METHOD.format(held_out=HELD_OUT, **of.method).split())
    return Result(of.name, of.title, method, headings, table, claims, plotted)


def _plotted(of: Part, shop: Shop, pooled: Pooled, alone: Floats) -> dict[str, Any]:
    """The rate, or the spend an order, of each segment: alone, pooled, in truth."""

    def told(logs: Floats) -> list[float]:
        found: list[float] = np.exp(logs @ np.array(of.scale)).tolist()
        return found

    means = {"alone": told(alone), "pooled": told(pooled.theta.mean(axis=0)), "truth": told(shop.truth)}
    centre = told(pooled.mu.mean(axis=0))
    return {"kind": "shrinkage", "sizes": shop.sizes.tolist(), "centre": centre, "ylabel": of.ylabel, **means}


def _score(held_out: Likelihood, draws: Floats) -> float:
    """Log of the posterior's mean density of all held-out customers together, a customer."""
    points = held_out.points_of(draws[:: max(1, len(draws) // SCORE_DRAWS)])
    values = [held_out.objective()(point)[0] - held_out.log_unit_sum for point in points]
    return float(logsumexp(values) - np.log(len(values))) / held_out.n_customers
