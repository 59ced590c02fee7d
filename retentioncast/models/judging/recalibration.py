"""Sets probabilities right that turned out to be off: a rising curve from what was told to what happened.

Beta calibration: Kull, Silva Filho & Flach (2017), "Beyond sigmoids", Electronic Journal of Statistics 11(2), eq. 5:
logit(p') = a ln p - b ln(1 - p) + c with a, b >= 0. Isotonic: Zadrozny & Elkan (2002), by pooling adjacent violators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit

from retentioncast.models.arrays import Floats
from retentioncast.models.judging.logistic import fit_logistic

Method = Literal["beta", "isotonic"]
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising map of [0, 1] onto itself: of `beta` with a, b, c, or `isotonic`, straight between points x, y."""

    method: Method
    parameters: dict[str, float | list[float]]

    def __call__(self, probability: Floats) -> Floats:
        """Recalibrated probabilities, of the same shape."""
        p = np.asarray(probability, dtype=np.float64)
        if self.method == "isotonic":
            return np.asarray(np.interp(p, self.parameters["x"], self.parameters["y"]))
        a, b, c = (np.asarray(self.parameters[name]) for name in ("a", "b", "c"))
        inside = np.clip(p, _LEAST, 1 - _LEAST)
        curved = expit(a * np.log(inside) - b * np.log1p(-inside) + c)
        return np.asarray(np.where((p > 0) & (p < 1), curved, p))


def fit_beta(probability: Floats, outcome: Floats) -> Curve:
    """Beta calibration by maximum likelihood; a curve that would fall gets the factor 0 instead, as in the paper."""
    p = np.clip(probability, _LEAST, 1 - _LEAST)
    features = np.column_stack([np.log(p), -np.log1p(-p)])
    used = [0, 1]
    coefficients = fit_logistic(features, outcome)
    while used and coefficients[:-1].min() < 0:
        used.pop(int(np.argmin(coefficients[:-1])))
        coefficients = fit_logistic(features[:, used], outcome)
    factors = [0.0, 0.0]
    for place, value in zip(used, coefficients[:-1], strict=True):
        factors[place] = float(value)
    return Curve("beta", {"a": factors[0], "b": factors[1], "c": float(coefficients[-1])})


def fit_isotonic(probability: Floats, outcome: Floats) -> Curve:
    """Isotonic regression; each level is drawn towards 1/2 by one made-up customer, so that no level is 0 or 1."""
    order = np.argsort(probability, kind="stable")
    p, came = probability[order], outcome[order]
    blocks = isotonic_regression(came).blocks[:-1]
    n = np.diff([*blocks, p.size])
    level = (np.add.reduceat(came, blocks) + 0.5) / (n + 1.0)
    level = isotonic_regression(level, weights=n).x
    middle = np.add.reduceat(p, blocks) / n
    x, y = [0.0, *middle.tolist(), 1.0], [0.0, *level.tolist(), 1.0]
    return Curve("isotonic", {"x": x, "y": y})
