"""Log densities and log survival functions of waiting times, vectorised; parameters are plain numbers.

Discrete laws and constants have atoms. So that an atom can be weighed against a density, its mass is spread over a
normal of standard deviation WIDTH, far below a day's effect on anything: a *sharp* distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import gammaincc, gammaln, log_ndtr, xlogy

from retentioncast.models.arrays import Floats

#: Standard deviation of an atom, in the file's unit of time (of a month: 44 minutes).
WIDTH = 0.001
_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
#: Waiting times of zero (a cancellation at once) are moved to here: densities may be infinite at 0.
_LEAST = 1e-6

#: t (n,) and the parameters in the registry's order give (n,).
Law = Callable[[Floats, Sequence[float]], Floats]


def log_normal_density(z: Floats) -> Floats:
    """Of the standard normal."""
    return np.asarray(-0.5 * z * z - _LOG_ROOT_2PI)


def constant_log_density(t: Floats, values: Sequence[float]) -> Floats:
    return log_normal_density((t - values[0]) / WIDTH) - math.log(WIDTH)


def constant_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    return np.asarray(log_ndtr((values[0] - t) / WIDTH))


def exponential_log_density(t: Floats, values: Sequence[float]) -> Floats:
    return math.log(values[0]) - values[0] * t


def exponential_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    return -values[0] * t


def gamma_log_density(t: Floats, values: Sequence[float]) -> Floats:
    shape, scale = values
    x = np.maximum(t, _LEAST) / scale
    return np.asarray(xlogy(shape - 1, x) - x - gammaln(shape) - math.log(scale))


def gamma_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    """log Q(shape, t / scale); where Q underflows, the first terms of its asymptotic series (DLMF 8.11.2)."""
    shape, scale = values
    x = np.maximum(t, 0.0) / scale
    upper = gammaincc(shape, x)
    far = upper < 1e-290
    with np.errstate(divide="ignore"):
        result = np.log(upper)
    if far.any():
        y = x[far]
        result[far] = (shape - 1) * np.log(y) - y - gammaln(shape) + np.log1p((shape - 1) / y)
    return np.asarray(result)


def weibull_log_density(t: Floats, values: Sequence[float]) -> Floats:
    shape, scale = values
    log_x = np.log(np.maximum(t, _LEAST) / scale)
    return np.asarray(math.log(shape / scale) + (shape - 1) * log_x - np.exp(np.minimum(shape * log_x, 300.0)))


def weibull_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    shape, scale = values
    log_x = np.log(np.maximum(t, _LEAST) / scale)
    return np.asarray(-np.exp(np.minimum(shape * log_x, 300.0)))


def normal_log_density(t: Floats, values: Sequence[float]) -> Floats:
    """Of a normal that is cut off at 0."""
    mean, sd = values
    return log_normal_density((t - mean) / sd) - math.log(sd) - float(log_ndtr(mean / sd))


def normal_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    mean, sd = values
    return np.asarray(log_ndtr((mean - np.maximum(t, 0.0)) / sd) - log_ndtr(mean / sd))


def lognormal_log_density(t: Floats, values: Sequence[float]) -> Floats:
    mu, sigma = values
    log_t = np.log(np.maximum(t, _LEAST))
    return log_normal_density((log_t - mu) / sigma) - math.log(sigma) - log_t


def lognormal_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    mu, sigma = values
    return np.asarray(log_ndtr((mu - np.log(np.maximum(t, _LEAST))) / sigma))


def geometric_log_density(t: Floats, values: Sequence[float]) -> Floats:
    """Mass p (1 - p)^(k - 1) at k = 1, 2, ..., each atom sharp."""
    p = values[0]
    k = np.maximum(np.rint(t), 1.0)
    return (k - 1) * math.log1p(-p) + math.log(p) + log_normal_density((t - k) / WIDTH) - math.log(WIDTH)


def geometric_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    """(1 - p)^(whole periods passed); within two widths of an atom it has passed."""
    return np.floor(np.maximum(t, 0.0) + 2 * WIDTH) * math.log1p(-values[0])


def uniform_log_density(t: Floats, values: Sequence[float]) -> Floats:
    low, high = values
    return np.where((t >= low) & (t <= high), -math.log(high - low), -np.inf)


def uniform_log_survival(t: Floats, values: Sequence[float]) -> Floats:
    low, high = values
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.clip((high - t) / (high - low), 0.0, 1.0)))
