"""The posterior of population, segments and customers together; nothing is integrated out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from retentioncast.models.arrays import Floats, Integers
from retentioncast.models.pooling.hyper import HyperPrior
from retentioncast.models.pooling.joint import split_points, with_population


class Effects(Protocol):
    """Customers (n,) with m latent effects each: PurchaseEffects, SpendEffects."""

    #: What the effects are called in a trace.
    names: ClassVar[tuple[str, ...]]

    @property
    def edges(self) -> Integers:
        """Where each segment's customers begin, and the end (segments + 1,)."""

    def __call__(self, theta: Floats, effects: Floats) -> tuple[float, Floats, Floats]:
        """Log density at theta (segments, k) and effects (m, n), with both gradients."""

    def values(self, theta: Floats, effects: Floats) -> Floats:
        """The effects in their own units (d, m, n) for draws of theta (d, segments, k) and effects (d, m, n)."""


@dataclass(frozen=True, slots=True, eq=False)
class IndividualDensity:
    """Log posterior density, up to a constant, with its gradient, of a point: mu (k,), log tau (k,), the segments'
    own (segments, k) as in JointDensity, and the customers' effects (m, n)."""

    customers: Effects
    prior: HyperPrior
    centred: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Segments and parameters."""
        return len(self.customers.edges) - 1, len(self.prior.names)

    @property
    def of_effects(self) -> tuple[int, int]:
        """Effects a customer, and customers."""
        return len(self.customers.names), int(self.customers.edges[-1])

    @property
    def sizes(self) -> tuple[int, int]:
        """Of the point's two parts: population with segments, and customers."""
        segments, k = self.shape
        m, n = self.of_effects
        return 2 * k + segments * k, m * n

    def split(self, points: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """mu, tau, theta (..., segments, k) and effects (..., m, n) of points (..., size)."""
        head = self.sizes[0]
        effects = points[..., head:].reshape(*points.shape[:-1], *self.of_effects)
        return *split_points(points[..., :head], self.shape, self.centred), effects

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        head = self.sizes[0]
        effects, by_effect = point[head:].reshape(self.of_effects), np.empty(self.of_effects)

        def likelihood(theta: Floats) -> tuple[float, Floats]:
            with np.errstate(over="ignore"):  # a trajectory that goes so far has diverged
                value, by_theta, by_effect[:] = self.customers(theta, effects)
            return value, by_theta

        value, gradient = with_population(point[:head], self.shape, self.prior, self.centred, likelihood)
        return value, np.concatenate([gradient, by_effect.ravel()])

    def values(self, points: Floats) -> Iterator[tuple[str, Floats]]:
        """Each effect by name, in its own units (chain, draw, n), of points (chain, draw, size)."""
        _, _, theta, effects = self.split(points)
        found = np.stack([self.customers.values(*chain) for chain in zip(theta, effects, strict=True)])
        return ((name, found[:, :, i]) for i, name in enumerate(self.customers.names))
