"""P(leaves before the next purchase | alive at T) as polynomials of T, so that whoever has no integrals can tell it.

For each number of repeat purchases it is smooth in T: Chebyshev interpolation of degree 9 on pieces of time (Trefethen
2013, "Approximation theory and approximation practice", ch. 8), each as long as a share of 2e-11 of the value allows
at points between the nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.lifetime import LifetimeModel

#: Coefficients of a piece: degree 9.
COEFFICIENTS = 10
#: The largest error, as a share of the value.
PRECISION = 2e-11
#: A mixture that needs more pieces than these is told by them as far as they reach.
MOST_PIECES = 48
_NODES = np.cos(np.pi * (np.arange(COEFFICIENTS) + 0.5) / COEFFICIENTS)
_BETWEEN = np.cos(np.pi * np.arange(COEFFICIENTS + 1) / COEFFICIENTS)
_TO_COEFFICIENTS = np.linalg.inv(np.vander(_NODES, increasing=True))
_POWERS_BETWEEN = np.vander(_BETWEEN, COEFFICIENTS, increasing=True)


@dataclass(frozen=True, slots=True, eq=False)
class LeavingCurves:
    """Of frequencies (n,): between breaks i and i + 1 of (p + 1,), ages in the model's unit, the polynomial with
    coefficients[:, i] of (n, p, 10), from the power 0 on, in u, which goes from -1 to 1 there."""

    frequency: Floats
    breaks: Floats
    coefficients: Floats


def leaving_curves(model: LifetimeModel, frequency: Floats, until: float) -> LeavingCurves:
    """The curves of these frequencies (rising) for ages in [0, until), or as far as MOST_PIECES reach."""
    scale = model.params_["alpha"]
    breaks, length = [0.0], 1.0
    pieces: list[Floats] = []
    while breaks[-1] < until and len(pieces) < MOST_PIECES:
        start = breaks[-1]
        length = min(2 * length, math.log((until + scale) / (start + scale)) + 1e-9)
        while (piece := _piece(model, frequency, start, end := (start + scale) * math.exp(length) - scale)) is None:
            length /= 1.5
        breaks.append(end)
        pieces.append(piece)
    return LeavingCurves(frequency, np.array(breaks), np.stack(pieces, axis=1))


def _piece(model: LifetimeModel, frequency: Floats, start: float, end: float) -> Floats | None:
    """Coefficients (n, 10) for ages from start to end; None where that is too long for one polynomial.

    The smallest and the largest frequency are asked first: where these need it shorter, the others need not be.
    """
    if frequency.size > 2 and _piece(model, frequency[:: frequency.size - 1], start, end) is None:
        return None
    ages = (start + end) / 2 + (end - start) / 2 * np.concatenate([_NODES, _BETWEEN])
    values = model.leaves_first(frequency[:, None], np.maximum(ages, 0.0))
    coefficients = values[:, :COEFFICIENTS] @ _TO_COEFFICIENTS.T
    there = values[:, COEFFICIENTS:]
    off = np.abs(coefficients @ _POWERS_BETWEEN.T - there)
    return np.asarray(coefficients) if np.all(off <= PRECISION * there) else None
