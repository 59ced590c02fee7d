"""The parameters that are inferred, as standard normals u: how each becomes a value, and its prior.

A positive parameter is lognormal around the stated one, a probability logit-normal, a location normal. Segments with
the same distributions are kept in the stated order: the later one's location lies behind the earlier one's by a
lognormal gap, so labels cannot switch. A constant that was seen is sharp around the tie in the data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.distributions import Parameter
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.segments import Segment

ROLES = ("cancel", "lifetime")
#: Customers that the stated mix counts for, beside one for each segment.
MIX_WEIGHT = 10.0
#: Spread (of the log) of the gap between two segments that are kept in order.
GAP_SD = 0.5


@dataclass(frozen=True, slots=True)
class Slot:
    """One inferred number: of which segment and role, and how u makes it. `eta` is on the parameter's scale."""

    segment: int
    role: str
    position: int
    name: str
    scale: str
    centre: float
    sd: float
    #: The slot that this one lies behind, and by how much (signed); None: it stands for itself.
    behind: int | None = None
    gap: float = 0.0
    #: Where a constant was seen in the data.
    anchor: float | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """All slots, and the Dirichlet's weights of the mix; the K - 1 log ratios of the mix stand first in u."""

    segments: tuple[Segment, ...]
    slots: tuple[Slot, ...]
    dirichlet: Floats
    names: tuple[str, ...]

    @property
    def n_mix(self) -> int:
        return len(self.segments) - 1

    @property
    def size(self) -> int:
        return self.n_mix + len(self.slots)

    def etas(self, u: Floats) -> Floats:
        """Parameters on their own scales (F,), or for draws (n, size) as (n, F)."""
        given = np.asarray(u)[..., self.n_mix :]
        found = np.empty_like(given)
        for i, slot in enumerate(self.slots):
            if slot.anchor is not None:
                found[..., i] = slot.anchor + WIDTH * given[..., i]
            elif slot.behind is not None:
                found[..., i] = found[..., slot.behind] + slot.gap * np.exp(GAP_SD * given[..., i])
            else:
                found[..., i] = slot.centre + slot.sd * given[..., i]
        return found

    def jacobian(self, u: Floats) -> Floats:
        """d eta / d u (F, F)."""
        given, size = u[self.n_mix :], len(self.slots)
        found = np.zeros((size, size))
        for i, slot in enumerate(self.slots):
            if slot.anchor is not None:
                found[i, i] = WIDTH
            elif slot.behind is not None:
                found[i] = found[slot.behind]
                found[i, i] = slot.gap * GAP_SD * math.exp(GAP_SD * given[i])
            else:
                found[i, i] = slot.sd
        return found

    def log_prior(self, u: Floats) -> tuple[float, Floats]:
        """Log density of u up to a constant, and its gradient."""
        gradient = -np.asarray(u, dtype=np.float64)
        log_mix = self.log_mix(u)
        total = float(self.dirichlet @ log_mix)
        gradient[: self.n_mix] = (self.dirichlet - self.dirichlet.sum() * np.exp(log_mix))[: self.n_mix]
        for i, slot in enumerate(self.slots, self.n_mix):
            if slot.anchor is None:
                total -= 0.5 * float(u[i]) ** 2
                continue
            value = max(slot.anchor + WIDTH * float(u[i]), 1e-12)
            z = (math.log(value) - slot.centre) / slot.sd
            total -= 0.5 * z * z + math.log(value)
            gradient[i] = -(z / slot.sd + 1) / value * WIDTH
        return total, gradient

    def log_mix(self, u: Floats) -> Floats:
        """Log proportions (K,), or for draws (n, size) as (n, K)."""
        given = np.asarray(u)[..., : self.n_mix]
        ratios = np.concatenate([given, np.zeros((*given.shape[:-1], 1))], axis=-1)
        top = ratios.max(axis=-1, keepdims=True)
        return np.asarray(ratios - top - np.log(np.exp(ratios - top).sum(axis=-1, keepdims=True)))

    def start(self) -> Floats:
        """u at the stated mix and parameters, and constants where they were seen."""
        mix = stated_mix(self.segments)
        return np.concatenate([np.log(mix[:-1] / mix[-1]), np.zeros(len(self.slots))])

    def prior_draws(self, n: int, rng: np.random.Generator) -> Floats:
        """u (n, size) from the prior; constants too are drawn from it, anchored or not."""
        u = rng.standard_normal((n, self.size))
        mix = np.maximum(rng.dirichlet(self.dirichlet, n), 1e-300)
        u[:, : self.n_mix] = np.log(mix[:, :-1] / mix[:, -1:])
        for i, slot in enumerate(self.slots, self.n_mix):
            if slot.anchor is not None:
                u[:, i] = (np.exp(slot.centre + slot.sd * u[:, i]) - slot.anchor) / WIDTH
        return u

    def values(self, etas: Floats, segment: int, role: str) -> list[float]:
        """All parameters of one distribution in the registry's order, given ones in their places."""
        distribution = self.segments[segment].distribution(role)
        assert distribution is not None
        found = list(distribution.values)
        for eta, slot in zip(etas, self.slots, strict=True):
            if slot.segment == segment and slot.role == role:
                found[slot.position] = from_eta(slot.scale, float(eta))
        return found

    def readable(self, u: Floats) -> dict[str, Floats]:
        """Draws (n, size) as `mix` (n, K) and each parameter (n,) by name."""
        etas = self.etas(u)
        found = {"mix": np.exp(self.log_mix(u))}
        for i, slot in enumerate(self.slots):
            found[slot.name] = from_etas(slot.scale, etas[..., i])
        return found


def from_eta(scale: str, eta: float) -> float:
    """A parameter from its own scale."""
    if scale == "log":
        return math.exp(min(max(eta, -700.0), 700.0))
    return 1 / (1 + math.exp(min(-eta, 700.0))) if scale == "logit" else eta


def from_etas(scale: str, eta: Floats) -> Floats:
    """Parameters from their own scale."""
    if scale == "log":
        return np.asarray(np.exp(np.clip(eta, -700, 700)))
    return np.asarray(1 / (1 + np.exp(-eta)) if scale == "logit" else eta)


def to_eta(scale: str, value: float) -> float:
    """The inverse of `from_eta`."""
    return math.log(value) if scale == "log" else math.log(value / (1 - value)) if scale == "logit" else value


def stated_mix(segments: Sequence[Segment]) -> Floats:
    """Proportions among subscribers: each segment's mix times the share of it that subscribes."""
    mix = np.array([segment.mix * segment.subscribes for segment in segments])
    return np.asarray(mix / mix.sum())


def make_layout(
    segments: Sequence[Segment], anchors: Mapping[tuple[int, str], float], order: Sequence[tuple[int, int, str]]
) -> Layout:
    """`anchors`: constants that were seen; `order`: (earlier, later, role) of segments that are kept in order."""
    slots: list[Slot] = []
    for index in _in_order(len(segments), order):
        for role in ROLES:
            slots += _slots(segments[index], index, role, anchors.get((index, role)))
    for earlier, later, role in order:
        _chain(slots, segments, earlier, later, role)
    dirichlet = 1 + MIX_WEIGHT * stated_mix(segments)
    names = (*(f"mix.{each.name}" for each in segments[:-1]), *(slot.name for slot in slots))
    return Layout(tuple(segments), tuple(slots), dirichlet, names)


def _slots(segment: Segment, index: int, role: str, anchor: float | None) -> list[Slot]:
    distribution = segment.distribution(role)
    if distribution is None:
        return []
    if distribution.name == "constant":
        if anchor is None:
            return []
        centre = math.log(max(distribution.values[0], anchor * 1e-3))
        return [Slot(index, role, 0, f"{segment.name}.{role}.value", "own", centre, segment.prior_sd, anchor=anchor)]
    found = []
    for position, parameter in enumerate(distribution.family.parameters):
        if parameter.scale != "given":
            value = distribution.values[position]
            name = f"{segment.name}.{role}.{parameter.name}"
            centre, sd = to_eta(parameter.scale, value), prior_sd(segment, role, parameter)
            found.append(Slot(index, role, position, name, parameter.scale, centre, sd))
    return found


def prior_sd(segment: Segment, role: str, parameter: Parameter) -> float:
    """Of the parameter on its own scale: the segment's `prior_sd`, for a normal's mean as a share of the mean."""
    distribution = segment.distribution(role)
    assert distribution is not None
    if distribution.name == "normal" and parameter.name == "mean":
        return segment.prior_sd * max(abs(distribution.values[0]), distribution.values[1])
    return segment.prior_sd


def _in_order(count: int, order: Sequence[tuple[int, int, str]]) -> list[int]:
    """Segments such that each comes after the one that it lies behind."""
    behind = {later: earlier for earlier, later, _ in order}
    depth = dict.fromkeys(range(count), 0)
    for index in range(count):
        at = index
        while at in behind:
            depth[index] += 1
            at = behind[at]
    return sorted(range(count), key=lambda index: (depth[index], index))


def _chain(slots: list[Slot], segments: Sequence[Segment], earlier: int, later: int, role: str) -> None:
    first, second = (_location(slots, segments, each, role) for each in (earlier, later))
    a, b = slots[first], slots[second]
    slots[second] = Slot(
        b.segment, b.role, b.position, b.name, b.scale, b.centre, b.sd, behind=first, gap=b.centre - a.centre
    )


def _location(slots: Sequence[Slot], segments: Sequence[Segment], segment: int, role: str) -> int:
    distribution = segments[segment].distribution(role)
    assert distribution is not None and distribution.family.location is not None
    position = distribution.family.location[0]
    return next(i for i, s in enumerate(slots) if s.segment == segment and s.role == role and s.position == position)
