"""Shops of segments of unequal size: what is fitted, and further customers of each segment to score it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.beta_geo import BetaGeo
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS
from retentioncast.models.pooling.segments import Segments, buying_likelihoods, spend_likelihoods
from retentioncast.models.uncertainty.priors import LogNormal, centres, spreads

#: How far the segments' logs scatter: r, alpha, a, b of BG/NBD; p, q, v of Gamma-Gamma.
SCATTER = np.array([0.4, 0.4, 0.3, 0.3])
SPEND_SCATTER = np.array([0.3, 0.3, 0.4])
HELD_OUT = 100
#: Orders of a customer after the first are 1, 2, ... with this chance to be the last.
_LAST = 0.4

Columns = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """What is fitted, what is held out (a likelihood a segment each), the family's priors, the true logs, the sizes."""

    own: list[Likelihood]
    together: Likelihood
    held_out: list[Likelihood]
    priors: Mapping[str, LogNormal]
    truth: Floats
    sizes: Integers


def draw_shop(segments: int, seed: int) -> Shop:
    """Purchases of a shop of so many segments of unequal size."""
    rng = np.random.default_rng(seed)
    priors = BetaGeo().priors()
    truth = _truth(priors, SCATTER, segments, rng)
    sizes = _sizes(segments, rng)
    own, held_out = (_customers(truth, each, rng) for each in (sizes, np.full(segments, HELD_OUT)))
    everybody = BetaGeo()._likelihood(group_rows(own[1]))
    return Shop(_likelihoods(*own), everybody, _likelihoods(*held_out), priors, truth, sizes)


def draw_spend_shop(segments: int, seed: int) -> Shop:
    """Spend of such a shop; its customers are those who bought again."""
    rng = np.random.default_rng(seed)
    priors = GammaGamma().priors()
    truth = _truth(priors, SPEND_SCATTER, segments, rng)
    sizes = _sizes(segments, rng)
    own, held_out = (_spenders(truth, each, rng) for each in (sizes, np.full(segments, HELD_OUT)))
    everybody = GammaGamma()._likelihood(group_rows(own[1:]))
    scored = spend_likelihoods(held_out[1], held_out[2], held_out[0])
    return Shop(spend_likelihoods(own[1], own[2], own[0]), everybody, scored, priors, truth, sizes)


def _truth(priors: Mapping[str, LogNormal], scatter: Floats, segments: int, rng: np.random.Generator) -> Floats:
    k = len(priors)
    centre = centres(priors) + 0.5 * spreads(priors) * rng.standard_normal(k)
    return np.asarray(centre + scatter * rng.standard_normal((segments, k)))


def _sizes(segments: int, rng: np.random.Generator) -> Integers:
    return np.maximum(5, rng.lognormal(np.log(30), 1.0, segments)).astype(np.int64)


def _segments(sizes: Integers) -> Segments:
    edges = np.concatenate([[0], np.cumsum(sizes)])
    return Segments(tuple(map(str, range(len(sizes)))), np.arange(edges[-1]), edges)


def _spenders(truth: Floats, sizes: Integers, rng: np.random.Generator) -> tuple[Segments, Floats, Floats]:
    """Orders after the first (n,) and their mean (n,)."""
    p, q, v = np.repeat(np.exp(truth), sizes, axis=0).T
    x = rng.geometric(_LAST, p.size).astype(np.float64)
    nu = rng.gamma(q) / v
    return _segments(sizes), x, rng.gamma(p * x) / (nu * x)


def _customers(truth: Floats, sizes: Integers, rng: np.random.Generator) -> tuple[Segments, Columns]:
    parts = []
    for logs, size in zip(truth, sizes, strict=True):
        model = BetaGeo()
        model.params_ = dict(zip(model.parameter_names, np.exp(logs).tolist(), strict=True))
        age = rng.integers(10, 80, size).astype(np.float64)
        parts.append(model.sample(int(size), age, int(rng.integers(2**31))))
    together = pd.concat(parts)
    x, t_x, age = (together[name].to_numpy(np.float64) for name in PURCHASE_COLUMNS)
    return _segments(sizes), (x, t_x, age)


def _likelihoods(segments: Segments, columns: Columns) -> list[Likelihood]:
    return buying_likelihoods(BetaGeo(), columns, segments)
