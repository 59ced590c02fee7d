"""Several fitted families as one model of repeat buying: their predictions mixed by weight, recalibrated if need be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np

from retentioncast.core.errors import InvalidInput
from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from retentioncast.models.btyd.time_unit import TimeUnit
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.stored import SCHEMA_VERSION, content_hash, read_content


class Stack:
    """A PurchaseModel made of PurchaseModels that count time in one unit.

    Probabilities and expectations are weighted means of the members'. Futures come from a member each, in proportion
    to the weights. `recalibrate` maps P(no purchase) of any horizon.
    """

    def __init__(
        self,
        members: Sequence[PurchaseModel],
        weights: Sequence[float],
        recalibrate: Curve | None = None,
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

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """What the columns of `draw_parameters` are, e.g. member, bg_nbd_r, …"""
        members = cast("tuple[RepeatBuyingModel, ...]", self.members)
        return ("member", *(f"{_slug(model.family)}_{name}" for model in members for name in model.parameter_names))

    def to_json(self) -> str:
        """The fitted stack as JSON with a schema version and a hash; floats come back bit for bit."""
        members = cast("tuple[RepeatBuyingModel, ...]", self.members)
        families = [model.family for model in members]
        curve = self.recalibrate
        content = {
            "schema_version": SCHEMA_VERSION,
            "model": type(self).__name__,
            "order": families,
            "weights": dict(zip(families, self.weights.tolist(), strict=True)),
            "members": {model.family: json.loads(model.to_json()) for model in members},
            "recalibration": None if curve is None else {"method": curve.method, "parameters": curve.parameters},
        }
        return json.dumps(content | {"hash": content_hash(content)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, families: Mapping[str, type[RepeatBuyingModel]]) -> Self:
        """The stack that `to_json` wrote, of these families by their names in prose.

        Raises DamagedModel for another model, version or hash, InvalidInput for a family that is not among these.
        """
        content = read_content(text, cls.__name__)
        order = content["order"]
        if unknown := [name for name in order if name not in families]:
            raise InvalidInput(f"The stack holds {unknown[0]}, which this version does not know.", "Use another one.")
        members = [families[name].from_json(json.dumps(content["members"][name])) for name in order]
        curve = content["recalibration"]
        weights = np.array([content["weights"][name] for name in order])
        stack = cls(cast("list[PurchaseModel]", members), weights.tolist(), None if curve is None else Curve(**curve))
        # Made to sum to 1 once more they could differ in the last bit.
        stack.weights = weights
        return stack

    def _mix(self, of: Callable[[Any, Floats | None], Floats], parameters: Floats | None) -> Floats:
        parts = zip(self.weights, self.members, self._split(parameters), strict=True)
        return np.asarray(sum(weight * of(model, draws) for weight, model, draws in parts))

    def _split(self, parameters: Floats | None) -> list[Floats | None]:
        if parameters is None:
            return [None] * len(self.members)
        edges = np.cumsum([1, *self._widths])
        return [parameters[:, a:b] for a, b in pairwise(edges)]


def _slug(family: str) -> str:
    return family.lower().replace("/", "_").replace("-", "_")
