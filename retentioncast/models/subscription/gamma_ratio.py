"""log Gamma(x + s) - log Gamma(x) without the loss of digits that the two large terms would bring."""

from __future__ import annotations

import math

from retentioncast.models.btyd.compiled import compiled

#: From here on Stirling's series with five terms is exact to double precision.
_LARGE = 16.0


@compiled
def log_gamma_ratio(x: float, s: float) -> float:
    """log(Gamma(x + s) / Gamma(x)) for x > 0, s >= 0, to 1e-14 of its size: recurrence up to 16, then Stirling."""
    total = 0.0
    while x < _LARGE:
        total -= math.log1p(s / x)
        x += 1.0
    y = x + s
    return total + (x - 0.5) * math.log1p(s / x) + s * (math.log(y) - 1.0) + _series(y) - _series(x)


@compiled
def _series(x: float) -> float:
    u = 1.0 / (x * x)
    return (1 / 12 - u * (1 / 360 - u * (1 / 1260 - u * (1 / 1680 - u / 1188)))) / x
