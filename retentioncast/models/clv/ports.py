"""What value and scores ask of a purchase model and a spend model: any that answers these can be put in."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from retentioncast.models.arrays import Column, Floats
from retentioncast.models.btyd.time_unit import TimeUnit


class PurchaseModel(Protocol):
    """A fitted model of repeat buying, such as BetaGeo."""

    time_unit: TimeUnit

    def probability_alive(
        self, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(alive at T), (m,) or for parameter draws (n, m)."""

    def probability_no_purchase(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """P(no purchase in (T, T + t])."""

    def expected_purchases(
        self, t: float, frequency: Column, recency: Column, T: Column, parameters: Floats | None = None
    ) -> Floats:
        """E[purchases in (T, T + t]]."""

    def draw_parameters(self, n: int, seed: int) -> Floats:
        """Draws (n, k) of the parameters."""

    def sample_future(
        self, t: float, x: Floats, t_x: Floats, age: Floats, parameters: Floats, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Orders in (T, T + t] (n, m), and when the last falls as a share of t (1 where none ends them)."""


class SpendModel(Protocol):
    """A fitted model of spend an order, such as GammaGamma."""

    def expected_spend(self, frequency: Column, monetary: Column, parameters: Floats | None = None) -> Floats:
        """E[spend an order]."""

    def draw_parameters(self, n: int, seed: int) -> Floats:
        """Draws (n, k) of the parameters."""

    def sample_scale(self, x: Floats, m: Floats, parameters: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Gamma shape of one order, and a draw of the customer's rate, for rows with one parameter draw each."""
