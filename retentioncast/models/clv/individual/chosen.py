"""Which customers NUTS gets a parameter for, where there are too many for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Integers
from retentioncast.models.pooling.segments import Segments


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Places (n,) of the customers, segment by segment from `edges` (segments + 1,), `of` how many there were."""

    places: Integers
    edges: Integers
    of: int


def choose_customers(segments: Segments, wanted: NDArray[np.bool_], most: int, seed: int) -> Chosen:
    """At most so many of the wanted rows (n,): of each segment all, or as many as of every other larger one.

    Who is taken depends on the segment and on chance alone, so that the posterior of the taken holds as it is; small
    segments, which have the least to lose, lose nothing. Raises InvalidInput where a segment would be left with none.
    """
    rows = [places[wanted[places]] for places in map(segments.of, range(len(segments.names)))]
    sizes = np.array([each.size for each in rows])
    share = _share(sizes, most)
    if share == 0 and sizes.any():
        raise InvalidInput(
            f"{(sizes > 0).sum()} segments are more than max_individuals = {most} customers can stand for.",
            "Take HierarchicalCLV, which needs no parameter a customer.",
        )
    rng = np.random.default_rng(seed)
    taken = [np.sort(rng.permutation(each)[:share]) for each in rows]
    edges = np.cumsum([0, *(each.size for each in taken)])
    return Chosen(np.concatenate(taken), edges.astype(np.int64), int(sizes.sum()))


def _share(sizes: Integers, most: int) -> int:
    """The largest number of each segment that does not come to more than `most` in all."""
    low, high = 0, int(sizes.max(initial=0))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= most else (low, middle - 1)
    return low
