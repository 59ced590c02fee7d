"""The integral over the unseen time of leaving that Pareto/NBD and Gamma-Gompertz/NBD rest on, with its gradient.

A customer buys at rate lambda ~ Gamma(k, alpha) and leaves at a time tau whose survival, over all customers, is
S(tau) = (1 + G(tau) / beta)^-s with G(tau) = (e^(b tau) - 1) / b, or tau itself at b = 0 (Pareto of the second kind).
The closed forms (Fader & Hardie 2005, "A note on deriving the Pareto/NBD model") take differences of 2F1, whose series
crawl as |z| -> 1 and whose digits cancel for large x; the integral itself is smooth and positive.
"""

from __future__ import annotations

import math

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.btyd.compiled import compiled

_EIGHT, _TWELVE = np.polynomial.legendre.leggauss(8), np.polynomial.legendre.leggauss(12)
#: Gauss-Legendre on (0, 1); a panel is kept so short that its rule leaves some 1e-13.
_COARSE, _COARSE_WEIGHTS = (1 + _EIGHT[0]) / 2, _EIGHT[1] / 2
_FINE, _FINE_WEIGHTS = (1 + _TWELVE[0]) / 2, _TWELVE[1] / 2
#: A panel of a falling integrand that adds less than this share ends the sum.
_NEGLIGIBLE = 1e-22
#: The end of time, short of what floats can hold.
_FOREVER = 1e290


@compiled
def silence(
    k: float, alpha: float, s: float, beta: float, b: float, start: float, end: float
) -> tuple[float, float, float, float, float, float, float]:
    """P(no purchase in (start, end] | alive at start), in its two parts, and its derivatives.

    Gives P(stays and is silent), P(leaves before a purchase), and of their sum the derivatives in k, alpha, s, beta, b.
    `k` is r + x: what is known of lambda at `start` is Gamma(r + x, alpha + start).
    """
    q_start, decay_start, slope_start = spread(start, beta, b)
    q_end, decay_end, slope_end = spread(end, beta, b)
    log_rate = math.log1p((end - start) / (alpha + start))
    log_left = b * (end - start) + math.log(q_end / q_start)
    stays = math.exp(-k * log_rate - s * log_left)
    leaves, d_k, d_alpha, d_s, d_beta, d_b = _integrate(k, alpha, s, beta, b, start, end, 1.0, True)
    d_k -= log_rate * stays
    d_alpha -= k * (1 / (alpha + end) - 1 / (alpha + start)) * stays
    d_s -= log_left * stays
    d_beta -= s * (decay_end / q_end - decay_start / q_start) * stays
    d_b -= s * (end - start + slope_end / q_end - slope_start / q_start) * stays
    return stays, leaves, d_k, d_alpha, d_s, d_beta, d_b


@compiled
def silent_parts(
    k: Floats, alpha: Floats, s: Floats, beta: Floats, b: Floats, start: Floats, end: Floats
) -> tuple[Floats, Floats]:
    """The two parts of `silence` for columns (n,): P(stays and is silent), P(leaves before a purchase)."""
    stays, leaves = np.empty(k.size), np.empty(k.size)
    for i in range(k.size):
        log_rate = math.log1p((end[i] - start[i]) / (alpha[i] + start[i]))
        ratio = spread(end[i], beta[i], b[i])[0] / spread(start[i], beta[i], b[i])[0]
        stays[i] = math.exp(-k[i] * log_rate - s[i] * (b[i] * (end[i] - start[i]) + math.log(ratio)))
        leaves[i] = _integrate(k[i], alpha[i], s[i], beta[i], b[i], start[i], end[i], 1.0, False)[0]
    return stays, leaves


@compiled
def leaves_first(k: Floats, alpha: Floats, s: Floats, beta: Floats, b: Floats, start: Floats) -> tuple[Floats]:
    """P(leaves before the next purchase | alive at start), for columns (n,): `silence` without an end.

    Past _FOREVER and b = 0 both waits are powers of time, so whoever is left there leaves first with s / (k + s).
    """
    result = np.empty(k.size)
    for i in range(k.size):
        result[i] = _integrate(k[i], alpha[i], s[i], beta[i], b[i], start[i], _FOREVER, 1.0, False)[0]
        if b[i] == 0.0:
            log_rate = math.log1p((_FOREVER - start[i]) / (alpha[i] + start[i]))
            log_left = math.log((beta[i] + _FOREVER) / (beta[i] + start[i]))
            result[i] += math.exp(-k[i] * log_rate - s[i] * log_left) * s[i] / (k[i] + s[i])
    return (result,)


@compiled
def time_alive(s: Floats, beta: Floats, b: Floats, start: Floats, end: Floats) -> tuple[Floats]:
    """E[time in (start, end] before leaving | alive at start], the integral of S(tau) / S(start), for columns (n,)."""
    result = np.empty(s.size)
    for i in range(s.size):
        result[i] = _integrate(0.0, beta[i], s[i], beta[i], b[i], start[i], end[i], 0.0, False)[0]
    return (result,)


@compiled
def spread(tau: float, beta: float, b: float) -> tuple[float, float, float]:
    """Q(tau) = beta e^(-b tau) + (1 - e^(-b tau)) / b: s / Q is the hazard of leaving; and its slopes in beta, b."""
    if b == 0.0:
        return beta + tau, 1.0, -tau * (beta + tau / 2)
    u = b * tau
    decay = math.exp(-u)
    grown = -math.expm1(-u) / b
    slope = tau * tau * (-0.5 + u * (1 / 3 - u / 8)) if u < 1e-3 else (tau * decay - grown) / b
    return beta * decay + grown, decay, slope - tau * beta * decay


@compiled
def _integrate(
    k: float, alpha: float, s: float, beta: float, b: float, start: float, end: float, density: float, gradient: bool
) -> tuple[float, float, float, float, float, float]:
    """Integral over tau in (start, end] of e^(-k log_rate - s log_left) (s / Q)^density, and its derivatives.

    In y = log(nearest + tau), nearest the lesser of alpha and beta, the integrand has one peak at most and is analytic
    in a strip of pi about the line: Gauss-Legendre on panels over which it changes by less than e^12.
    """
    nearest = min(alpha, beta)
    base = nearest + start
    total, d_k, d_alpha, d_s, d_beta, d_b = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    length, at, tau = math.log1p((end - start) / base), 0.0, start
    pole = math.log(abs(b * beta - 1.0) + 1e-300) / b if b > 0.0 else 0.0
    here = _steepness(k, alpha, s, beta, b, tau, nearest, density)
    while at < length:
        step = min(length - at, 4.0, 10.0 / (abs(here) + 1e-9))
        if b > 0.0:  # the hazard has poles pi / b off the line, at `pole`
            step = min(step, math.log1p(max(4.0 / b, abs(tau - pole) / 2) / (nearest + tau)))
        right = end if at + step >= length else start + base * math.expm1(at + step)
        there = _steepness(k, alpha, s, beta, b, right, nearest, density)
        while abs(there) * step > 12.0:
            step /= 2
            right = start + base * math.expm1(at + step)
            there = _steepness(k, alpha, s, beta, b, right, nearest, density)
        coarse = max(abs(here), abs(there)) * step < 3.0 and step < 1.5
        coarse = coarse and right - tau < max(1.5 / b, abs(tau - pole) / 4)
        added, g_k, g_alpha, g_s, g_beta, g_b = _panel(k, alpha, s, beta, b, start, at, step, density, coarse, gradient)
        total, d_k, d_alpha = total + added, d_k + g_k, d_alpha + g_alpha
        d_s, d_beta, d_b = d_s + g_s, d_beta + g_beta, d_b + g_b
        at, tau, here = at + step, right, there
        if there < 0.0 and added <= _NEGLIGIBLE * total:
            break
    return total, d_k, d_alpha, d_s, d_beta, d_b


@compiled
def _steepness(
    k: float, alpha: float, s: float, beta: float, b: float, tau: float, nearest: float, density: float
) -> float:
    """Slope of the integrand's log in y = log(nearest + tau)."""
    q = spread(tau, beta, b)[0]
    return 1.0 - (nearest + tau) * (k / (alpha + tau) + s / q + density * (1 / q - b))


@compiled
def _panel(
    k: float,
    alpha: float,
    s: float,
    beta: float,
    b: float,
    start: float,
    at: float,
    step: float,
    density: float,
    coarse: bool,
    gradient: bool,
) -> tuple[float, float, float, float, float, float]:
    """What one panel of `_integrate`, from y - y(start) = `at` on, adds to the integral and its derivatives."""
    nodes, weights = (_COARSE, _COARSE_WEIGHTS) if coarse else (_FINE, _FINE_WEIGHTS)
    base = min(alpha, beta) + start
    q_start, decay_start, slope_start = spread(start, beta, b)
    total, d_k, d_alpha, d_s, d_beta, d_b = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(nodes.size):
        y = at + step * nodes[j]
        since = base * math.expm1(y)
        q, decay, slope = spread(start + since, beta, b)
        log_rate = y if alpha <= beta else math.log1p(since / (alpha + start))
        log_left = y if b == 0.0 and beta <= alpha else b * since + math.log(q / q_start)
        g = math.exp(-k * log_rate - s * log_left) * (base + since) * step * weights[j]
        if density > 0.0:
            g *= s / q
        total += g
        if gradient:
            d_k -= g * log_rate
            d_alpha -= g * k * (1 / (alpha + start + since) - 1 / (alpha + start))
            d_s += g * (1 / s - log_left)
            d_beta -= g * (s * (decay / q - decay_start / q_start) + decay / q)
            d_b -= g * (s * (since + slope / q - slope_start / q_start) + slope / q)
    return total, d_k, d_alpha, d_s, d_beta, d_b
