"""The mixture's log posterior and its gradient, labels marginalised out, on grouped rows.

With wish C and natural end L of segment k (competing risks), a row counts f_C(t) S_L(t) when cancelled,
f_L(t) S_C(t) when ended by nature, their sum when it is over for unknown reasons, S_C(t) S_L(t) when it still runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.populations.grouped import Rows, stretches
from retentioncast.models.populations.laws import WIDTH
from retentioncast.models.populations.layout import ROLES, Layout, from_eta

#: Step of the central differences, on the parameters' own scales: wrong by 1e-9 of the slope.
_STEP = 1e-5
#: Log of nothing that arithmetic can bear.
_NEVER = -1e12


@dataclass(frozen=True, slots=True)
class Part:
    """Log density and log survival of one segment's wish or natural end; 0 on rows where it does not count."""

    density: Floats
    survival: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """The log posterior of u for these rows."""

    layout: Layout
    rows: Rows
    _where: Mapping[str, slice] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_where", stretches(self.rows.outcome))

    def log_density(self, u: Floats) -> float:
        """Up to a constant; -inf where a parameter is out of range."""
        etas = self.layout.etas(u)
        terms = self.layout.log_mix(u) + self.segment_terms(etas)
        value = float(self.rows.weights @ _log_sum(terms)) + self.layout.log_prior(u)[0]
        return value if np.isfinite(value) else -np.inf

    def log_density_and_gradient(self, u: Floats) -> tuple[float, Floats]:
        """The log density with its gradient (size,)."""
        etas, log_mix = self.layout.etas(u), self.layout.log_mix(u)
        likelihood, by_mix, by_eta = self.log_likelihood(log_mix, etas)
        value, gradient = self.layout.log_prior(u)
        n_mix = self.layout.n_mix
        gradient[:n_mix] += (by_mix - by_mix.sum() * np.exp(log_mix))[:n_mix]
        gradient[n_mix:] += by_eta @ self.layout.jacobian(u)
        return likelihood + value, gradient

    def log_likelihood(self, log_mix: Floats, etas: Floats) -> tuple[float, Floats, Floats]:
        """Log likelihood with its slopes in the log mix (K,) and in the parameters on their own scales (F,)."""
        parts = self._parts(etas)
        terms = log_mix + self._terms(parts)
        total = _log_sum(terms)
        shares = np.exp(terms - total[:, None]) * self.rows.weights[:, None]
        return float(self.rows.weights @ total), shares.sum(axis=0), self._slopes(etas, parts, shares)

    def expected(self, u: Floats, shares: Floats) -> tuple[float, Floats]:
        """What EM's M step climbs: the log posterior if `shares` (m, K) were each row's segments; with its gradient."""
        etas, log_mix = self.layout.etas(u), self.layout.log_mix(u)
        parts, dealt = self._parts(etas), shares * self.rows.weights[:, None]
        counts = dealt.sum(axis=0)
        value, gradient = self.layout.log_prior(u)
        value += float(counts @ log_mix + (dealt * self._terms(parts)).sum())
        n_mix = self.layout.n_mix
        gradient[:n_mix] += (counts - counts.sum() * np.exp(log_mix))[:n_mix]
        gradient[n_mix:] += self._slopes(etas, parts, dealt) @ self.layout.jacobian(u)
        return value, gradient

    def densities(self, points: Floats) -> Floats:
        """Log densities (n,) of points (n, size)."""
        return np.array([self.log_density(point) for point in points])

    def segment_terms(self, etas: Floats) -> Floats:
        """Log likelihood of each row under each segment (m, K), attributes included."""
        return self._terms(self._parts(etas))

    def segment_shares(self, u: Floats) -> Floats:
        """Posterior probability of each segment for each row (m, K), given the parameters."""
        terms = self.layout.log_mix(u) + self.segment_terms(self.layout.etas(u))
        return np.asarray(np.exp(terms - _log_sum(terms)[:, None]))

    def _parts(self, etas: Floats) -> list[tuple[Part, Part]]:
        found = []
        for k in range(len(self.layout.segments)):
            cancel, lifetime = (self._part(k, role, self._values(etas, k, role)) for role in ROLES)
            found.append((cancel, lifetime))
        return found

    def _values(self, etas: Floats, segment: int, role: str) -> list[float] | None:
        there = self.layout.segments[segment].distribution(role)
        return None if there is None else self.layout.values(etas, segment, role)

    def _part(self, segment: int, role: str, values: list[float] | None) -> Part:
        t, where = self.rows.duration, self._where
        density, survival = np.zeros(t.size), np.zeros(t.size)
        distribution = self.layout.segments[segment].distribution(role)
        places = [where["cancel_density"]] if role == "cancel" else [where["ended"], where["over"]]
        if distribution is None or values is None:
            for place in places:
                density[place] = _NEVER
            return Part(density, survival)
        family = distribution.family
        assert family.log_density is not None and family.log_survival is not None
        for place in places:
            density[place] = np.maximum(family.log_density(t[place], values), _NEVER)
        lasts = where[f"{role}_survival"]
        # Of a wish and a natural end at the same moment the wish counts: an atom of the natural end is then not over.
        back = 4 * WIDTH if family.has_atoms and role == "lifetime" else 0.0
        survival[lasts] = np.maximum(family.log_survival(t[lasts] - back, values), _NEVER)
        return Part(density, survival)

    def _terms(self, parts: list[tuple[Part, Part]]) -> Floats:
        found = self.rows.attributes.copy()
        over = self._where["over"]
        for k, (cancel, lifetime) in enumerate(parts):
            term = cancel.density + cancel.survival + lifetime.density + lifetime.survival
            if over.start < over.stop:
                term[over] = np.logaddexp(*_ways(cancel, lifetime, over))
            found[:, k] += term
        return found

    def _slopes(self, etas: Floats, parts: list[tuple[Part, Part]], shares: Floats) -> Floats:
        """d log likelihood / d eta (F,)."""
        over = self._where["over"]
        found = np.zeros(len(self.layout.slots))
        for i, slot in enumerate(self.layout.slots):
            weights = shares[:, slot.segment]
            density, survival = self._differences(etas, i)
            slope = density + survival
            if over.start < over.stop:
                wished, ended = _ways(*parts[slot.segment], over)
                first = 1 / (1 + np.exp(np.clip(ended - wished, -500, 500)))
                by_density = first if slot.role == "cancel" else 1 - first
                slope[over] = by_density * density[over] + (1 - by_density) * survival[over]
            found[i] = weights @ slope
        return found

    def _differences(self, etas: Floats, i: int) -> tuple[Floats, Floats]:
        slot = self.layout.slots[i]
        step = WIDTH * 1e-3 if slot.anchor is not None else _STEP
        values = self.layout.values(etas, slot.segment, slot.role)
        ends = []
        for sign in (1, -1):
            moved = list(values)
            moved[slot.position] = from_eta(slot.scale, float(etas[i]) + sign * step)
            ends.append(self._part(slot.segment, slot.role, moved))
        high, low = ends
        return (high.density - low.density) / (2 * step), (high.survival - low.survival) / (2 * step)


def _ways(cancel: Part, lifetime: Part, over: slice) -> tuple[Floats, Floats]:
    """Log likelihood of a row that is over by the wish, and by the natural end."""
    return cancel.density[over] + lifetime.survival[over], lifetime.density[over] + cancel.survival[over]


def _log_sum(terms: Floats) -> Floats:
    top = terms.max(axis=1)
    return np.asarray(top + np.log(np.exp(terms - top[:, None]).sum(axis=1)))
