"""Several fitted families as one model of repeat buying: their predictions mixed by weight, recalibrated if need be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.clv.ports import PurchaseModel


class Stack:
    """A PurchaseModel made of PurchaseModels that count time in one unit.

    Probabilities and expectations are weighted means of the members'. Futures come from a member each, in proportion
    to the weights. `recalibrate` maps P(no purchase) of any horizon.
    """

    def __init__(
        self,
        members: Sequence[PurchaseModel],
        weights: Sequence[float],
        recalibrate: Callable[[Floats], Floats] | None = None,
    ) -> None:
        units = {member.time_unit for member in members}
        if len(units) != 1 or len(members) != len(weights):
            raise ValueError(f"a stack needs members of one time unit ({units}) and a weight for each ({len(weights)})")
        self.members = tuple(members)
        self.weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
        self.recalibrate = recalibrate
        self.time_unit: TimeUnit = members[0].time_unit
        self._widths: tuple[int, ...] = ()

    def probability_alive(
        self, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(alive at T), mixed."""
        return self._mix(lambda model, draws: model.probability_alive(frequency, recency, T, draws), parameters)

    def probability_no_purchase(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(no purchase in (T, T + t]), mixed, then recalibrated."""

        def of(model: PurchaseModel, draws: Floats | None) -> Floats:
            return model.probability_no_purchase(t, frequency, recency, T, draws)

        mixed = self._mix(of, parameters)
        return mixed if self.recalibrate is None else self.recalibrate(mixed)

    def expected_purchases(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """E[purchases in (T, T + t]], mixed."""
        return self._mix(lambda model, draws: model.expected_purchases(t, frequency, recency, T, draws), parameters)

    def draw_parameters(self, n: int, seed: int) -> Floats:
        """Draws (n, 1 + k) of all members' parameters side by side, led by the member that makes this future."""
        drawn = [member.draw_parameters(n, seed + i) for i, member in enumerate(self.members)]
        self._widths = tuple(draws.shape[1] for draws in drawn)
        edges = np.cumsum(self.weights)
        place = (np.random.default_rng(seed).permutation(n) + 0.5) / n
        member = np.minimum(np.searchsorted(edges, place), len(self.members) - 1)
        return np.column_stack([member.astype(np.float64), *drawn])

    def sample_future(
        self, t: float, x: Floats, t_x: Floats, age: Floats, parameters: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Orders in (T, T + t] (n, m), and when the last falls; each draw by its own member."""
        orders, end = np.empty((len(parameters), x.size)), np.empty((len(parameters), x.size))
        for i, (model, draws) in enumerate(zip(self.members, self._split(parameters), strict=True)):
            rows = np.flatnonzero(parameters[:, 0] == i)
            if rows.size and draws is not None:
                orders[rows], end[rows] = model.sample_future(t, x, t_x, age, draws[rows], rng)
        return orders, end

    def _mix(self, of: Callable[[Any, Floats | None], Floats], parameters: Floats | None) -> Floats:
        parts = zip(self.weights, self.members, self._split(parameters), strict=True)
        return np.asarray(sum(weight * of(model, draws) for weight, model, draws in parts))

    def _split(self, parameters: Floats | None) -> list[Floats | None]:
        if parameters is None:
            return [None] * len(self.members)
        edges = np.cumsum([1, *self._widths])
        return [parameters[:, a:b] for a, b in pairwise(edges)]
