"""P(leaves before the next purchase), and its polynomials: the same to 2e-11 of the value, wherever they reach."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from retentioncast.models import GammaGompertzNBD, ParetoNBD
from retentioncast.models.arrays import Floats
from retentioncast.models.btyd import leaving_curves as module
from retentioncast.models.btyd.leaving_curves import LeavingCurves, leaving_curves
from retentioncast.models.btyd.lifetime import LifetimeModel

SHOPS: list[tuple[type[LifetimeModel], dict[str, float]]] = [
    (ParetoNBD, {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}),
    (ParetoNBD, {"r": 0.1, "alpha": 40.0, "s": 4.0, "beta": 0.3}),
    (ParetoNBD, {"r": 0.01, "alpha": 40.0, "s": 0.01, "beta": 0.003}),
    (GammaGompertzNBD, {"r": 0.55, "alpha": 10.6, "b": 0.02, "s": 0.6, "beta": 0.3}),
    (GammaGompertzNBD, {"r": 0.5, "alpha": 5.0, "b": 3.0, "s": 0.06, "beta": 1e5}),
]
FREQUENCY = np.array([0.0, 1.0, 2.0, 7.0, 60.0, 4000.0])


def model_of(shop: tuple[type[LifetimeModel], dict[str, float]]) -> LifetimeModel:
    model = shop[0]()
    model.params_ = shop[1]
    return model


def evaluate(curves: LeavingCurves, ages: Floats) -> Floats:
    """The polynomials at ages (m,): (n, m)."""
    piece = np.searchsorted(curves.breaks, ages, "right") - 1
    left, right = curves.breaks[piece], curves.breaks[piece + 1]
    powers = np.vander((2 * ages - left - right) / (right - left), curves.coefficients.shape[2], increasing=True)
    return np.asarray(np.einsum("nmk,mk->nm", curves.coefficients[:, piece], powers))


@pytest.mark.parametrize("shop", SHOPS)
def test_who_is_alive_and_never_buys_again_leaves_first(shop: tuple[type[LifetimeModel], dict[str, float]]) -> None:
    model, just_bought = model_of(shop), np.array([0.0, 3.0, 3.0])
    found = model.leaves_first([0, 1, 50], just_bought)
    never = model.probability_no_purchase(1e250, [0, 1, 50], just_bought, just_bought)
    # By then next to nobody is left, but under r = s = 0.01, where each tenfold of time takes a twentieth.
    np.testing.assert_allclose(found, never, rtol=0, atol=1e-5 if shop[1]["s"] == 0.01 else 1e-12)


def test_under_pareto_nbd_it_is_gauss_s_function() -> None:
    model = model_of(SHOPS[0])
    r, alpha, s, beta = model.params_.values()
    ages = np.array([0.0, 1.0, 40.0, 400.0])
    k = r + FREQUENCY[:, None]
    told = s / (k + s) * hyp2f1(k, 1, k + s + 1, (alpha - beta) / (alpha + ages))
    np.testing.assert_allclose(model.leaves_first(FREQUENCY[:, None], ages), told, rtol=1e-11)


@pytest.mark.parametrize("shop", SHOPS)
def test_the_curves_are_the_integral(shop: tuple[type[LifetimeModel], dict[str, float]]) -> None:
    model = model_of(shop)
    curves = leaving_curves(model, FREQUENCY, 300.0)
    assert curves.breaks[0] == 0.0 and curves.breaks[-1] > 300.0
    ages = np.concatenate([[0.0], np.random.default_rng(1).uniform(0, 300, 200), curves.breaks[1:-1]])
    told = model.leaves_first(FREQUENCY[:, None], ages)
    np.testing.assert_allclose(evaluate(curves, ages), told, rtol=1e-10)


def test_they_end_where_there_would_be_too_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PIECES", 3)
    curves = leaving_curves(model_of(SHOPS[4]), FREQUENCY, 300.0)
    assert curves.coefficients.shape == (6, 3, 10) and curves.breaks[-1] < 300.0
