"""From a summary with a column of segments to each segment's grouped likelihood, and to a pooled family of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retentioncast.core.errors import NotEnoughData
from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.btyd.gamma_gamma import GammaGamma
from retentioncast.models.btyd.grouping import group_rows
from retentioncast.models.btyd.likelihood import Likelihood
from retentioncast.models.btyd.purchase_columns import PURCHASE_COLUMNS, from_frame, read_purchases
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import require_unit
from retentioncast.models.columns import InvalidColumn
from retentioncast.models.pooling.hyper import make_hyper_prior
from retentioncast.models.pooling.pool import pool
from retentioncast.models.pooling.pooled import Pooled
from retentioncast.models.pooling.sampling import Sampling
from retentioncast.models.uncertainty.importance import DRAWS
from retentioncast.models.uncertainty.priors import LogNormal


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The names of the segments in order, and the places (n,) of each one's rows, segment by segment from `edges`."""

    names: tuple[str, ...]
    places: Integers
    edges: Integers

    def of(self, index: int) -> Integers:
        """The places of a segment's rows."""
        return self.places[self.edges[index] : self.edges[index + 1]]

    @property
    def sizes(self) -> Integers:
        """Rows (segments,) of each."""
        return np.diff(self.edges)


def read_segments(column: pd.Series) -> Segments:
    """The segments that a column names. Raises InvalidColumn for a row that names none."""
    if column.isna().any():
        row = column.index[int(column.isna().to_numpy().argmax())]
        raise InvalidColumn(str(column.name), row, None, "names no segment")
    codes, names = pd.factorize(column.astype(str), sort=True)
    edges = np.searchsorted(np.sort(codes), np.arange(len(names) + 1))
    return Segments(tuple(map(str, names)), np.argsort(codes, kind="stable"), edges.astype(np.int64))


def buying_likelihoods(
    model: RepeatBuyingModel, columns: tuple[Floats, Floats, Floats], segments: Segments
) -> list[Likelihood]:
    """Each segment's likelihood of its (x, t_x, T) rows (n,)."""
    found = []
    for index in range(len(segments.names)):
        x, t_x, age = (column[segments.of(index)] for column in columns)
        k = len(model.parameter_names)
        found.append(model._likelihood(group_rows((x, t_x, age))) if np.any(age > 0) else silent(k))
    return found


def spend_likelihoods(x: Floats, m: Floats, segments: Segments) -> list[Likelihood]:
    """Each segment's likelihood of its paying repeat buyers' frequency and mean spend (n,)."""
    found = []
    for index in range(len(segments.names)):
        rows = segments.of(index)
        paying = rows[(x[rows] > 0) & (m[rows] > 0)]
        found.append(GammaGamma()._likelihood(group_rows((x[paying], m[paying]))) if paying.size else silent(3))
    return found


def silent(k: int) -> Likelihood:
    """Of a segment whose rows say nothing: the population is all that is known of it."""

    def kernel(parameters: Floats) -> tuple[float, Floats]:
        return 0.0, np.zeros(parameters.size)

    return Likelihood(kernel, (), np.ones(k), 0.0, 0, 0.0)


def segment_likelihoods(
    model: RepeatBuyingModel, summary: pd.DataFrame, segment: str
) -> tuple[Segments, list[Likelihood]]:
    """The segments of a summary in lifetimes' shape and each one's likelihood. Raises InvalidColumn."""
    require_unit(summary, model.time_unit)
    segments = read_segments(from_frame(summary, (segment,))[0])
    x, t_x, age = (np.atleast_1d(column) for column in read_purchases(*from_frame(summary, PURCHASE_COLUMNS)))
    return segments, buying_likelihoods(model, (x, t_x, age), segments)


def pool_segments(
    model: RepeatBuyingModel,
    summary: pd.DataFrame,
    segment: str = "segment",
    priors: Mapping[str, LogNormal] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    fallback: Sampling | None = None,
) -> tuple[Segments, Pooled]:
    """One model a segment, all drawn towards each other as far as the data let them; see `pool`.

    `summary` is in lifetimes' shape, with a column that names each customer's segment. Raises InvalidColumn (a
    ValueError) for bad values or a missing segment, NotEnoughData without two segments.
    """
    segments, likelihoods = segment_likelihoods(model, summary, segment)
    require_two(segments.names)
    prior = make_hyper_prior(model.priors(priors), model.days_per_unit())
    return segments, pool(likelihoods, prior, draws, seed, fallback)[0]


def require_two(names: Sequence[str]) -> None:
    """Raise NotEnoughData for a single segment."""
    if len(names) < 2:
        raise NotEnoughData(f"there are {len(names)} segments; pooling needs two.", "Use fit for a single one.")
