"""Kernels are compiled by numba and kept on disk, so only the first run on a machine pays for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

from numba import njit


def compiled[Kernel: Callable[..., object]](function: Kernel) -> Kernel:
    """Compile at the first call and cache beside the file (numba follows NUMBA_CACHE_DIR where that is read-only).

    A compiled kernel lets go of the interpreter, so that threads can run several at a time.
    """
    return cast(Kernel, njit(cache=True, error_model="numpy", nogil=True)(function))


@compiled
def digamma(x: float) -> float:
    """Derivative of log Gamma for x > 0, to 1e-14: recurrence up to 8, then the asymptotic series (A&S 6.3.18)."""
    shift = 0.0
    while x < 8.0:
        shift -= 1.0 / x
        x += 1.0
    u = 1.0 / (x * x)
    series = u * (1 / 12 - u * (1 / 120 - u * (1 / 252 - u * (1 / 240 - u * (1 / 132 - u * (691 / 32760 - u / 12))))))
    return shift + math.log(x) - 0.5 / x - series
