"""Shops with ratios drawn from their priors: the posterior's intervals hold these as often as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from retentioncast.models import BetaGeo, ParetoNBD
from retentioncast.models.uncertainty.priors import sample_priors

CUSTOMERS, SHARES = 300, (0.5, 0.8, 0.94)


def held_by_intervals(family: type[Any], number: int) -> NDArray[np.bool_]:
    """Whether the intervals (shares, parameters) of one shop hold its parameters; one covariate is 0 or 1."""
    truth, rng = family(), np.random.default_rng([len(family.__name__), number])
    truth.covariates_ = ("web", "age")
    values = sample_priors(truth.priors(), 1, number)[0]
    truth.params_ = dict(zip(truth.names, values, strict=True))
    z = np.column_stack([rng.integers(0, 2, CUSTOMERS), rng.normal(size=CUSTOMERS).clip(-2, 2)])
    shop = truth.sample(CUSTOMERS, rng.integers(70, 546, CUSTOMERS) / 7, number, z)
    posterior = family().fit(shop, covariates=z, method="laplace", seed=number).posterior_
    bounds = np.array([list(posterior.interval(share).values()) for share in SHARES])
    return np.asarray((bounds[:, :, 0] <= values) & (values <= bounds[:, :, 1]))


@pytest.mark.parametrize(("family", "shops"), [(BetaGeo, 16), (ParetoNBD, 8)])
def test_intervals_hold_the_ratios_as_often_as_they_say(family: type[Any], shops: int) -> None:
    """The parameters of one shop are not independent, so the band is that of one of them."""
    held = np.mean([held_by_intervals(family, number) for number in range(shops)], axis=(0, 2)) * shops
    for share, count in zip(SHARES, held, strict=True):
        assert binom.ppf(0.0005, shops, share) <= count <= binom.ppf(0.9995, shops, share)
