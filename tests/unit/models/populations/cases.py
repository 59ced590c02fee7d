"""The issue's populations and small variations of them."""

from __future__ import annotations

from typing import Any

from retentioncast.models.populations.mixture import Mixture

EARLY: dict[str, Any] = {
    "name": "EarlyCancel", "mix": 0.3,
    "cancel_dist": ("constant", {"value": 2}), "lifetime_dist": ("exponential", {"rate": 1 / 12}),
}  # fmt: skip
FORGOT: dict[str, Any] = {
    "name": "ForgotCancel", "mix": 0.7,
    "cancel_dist": ("exponential", {"rate": 1 / 6}), "lifetime_dist": ("gamma", {"shape": 2, "scale": 5}),
}  # fmt: skip
#: Every law that has parameters to infer, and reasons of both kinds.
MANY: list[dict[str, Any]] = [
    {"name": "a", "mix": 0.3, "cancel_dist": ("exponential", {"rate": 0.4}),
     "lifetime_dist": ("weibull", {"shape": 1.5, "scale": 12})},
    {"name": "b", "mix": 0.2, "cancel_dist": ("exponential", {"rate": 0.05}),
     "lifetime_dist": ("weibull", {"shape": 1.5, "scale": 20})},
    {"name": "c", "mix": 0.3, "cancel_dist": ("lognormal", {"mu": 1, "sigma": 0.3}),
     "lifetime_dist": ("normal", {"mean": 12, "sd": 3})},
    {"name": "d", "mix": 0.2, "cancel_dist": ("geometric", {"p": 0.2}),
     "lifetime_dist": ("uniform", {"low": 3, "high": 30})},
]  # fmt: skip


def issue() -> Mixture:
    return Mixture([EARLY, FORGOT])


def many() -> Mixture:
    return Mixture(MANY)


def lone(**changed: Any) -> Mixture:
    """One population only."""
    return Mixture([{**FORGOT, "name": "All", "mix": 1.0, **changed}])
