"""The gate: a refit made worse on purpose is refused, one that fits a changed shop better than the old is not."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.models import BetaGeo, ModifiedBetaGeo
from retentioncast.models.clv.ports import PurchaseModel
from retentioncast.models.judging.backtest import fit_family
from retentioncast.models.judging.baselines import BASE_RATE, OWN_RATE, RFM_LOGISTIC, SAME_COUNT
from retentioncast.models.judging.gain import Gain
from retentioncast.models.judging.gate import Comparison, decide
from retentioncast.models.judging.judgement import CHOSEN, IN_FORCE, REFIT, Evidence, gather_evidence, judge
from retentioncast.models.judging.purchase_days import PurchaseDays
from retentioncast.models.judging.recalibration import Curve
from retentioncast.models.judging.stack import Stack
from tests.unit.models.judging.shop import purchase_log

HORIZONS = (30, 60, 90)
FAMILIES = {"BG/NBD": BetaGeo}
DAYS = 330


def evidence_of(log: PurchaseDays) -> Evidence:
    found = gather_evidence(log, DAYS - 1, HORIZONS, FAMILIES)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def log() -> PurchaseDays:
    return PurchaseDays(purchase_log(800, DAYS, seed=2))


@pytest.fixture(scope="module")
def evidence(log: PurchaseDays) -> Evidence:
    return evidence_of(log)


@pytest.fixture(scope="module")
def refit(log: PurchaseDays) -> BetaGeo:
    return cast(BetaGeo, fit_family(BetaGeo, log.cut(DAYS - 1, ())))


def spoiled(model: BetaGeo, factor: float) -> BetaGeo:
    worse = BetaGeo()
    worse.params_ = {name: value * (factor if name == "alpha" else 1.0) for name, value in model.params_.items()}
    return worse


def test_everybody_is_measured_in_every_window(evidence: Evidence, refit: BetaGeo) -> None:
    scores = judge(evidence, refit, refit).scores
    windows = {(score.origin, score.horizon_days) for score in scores}
    assert len(windows) == 12
    for name in ("BG/NBD", BASE_RATE, SAME_COUNT, OWN_RATE, RFM_LOGISTIC, CHOSEN, REFIT, IN_FORCE):
        assert {(score.origin, score.horizon_days) for score in scores if score.contender == name} == windows


def test_the_right_family_beats_every_baseline(evidence: Evidence, refit: BetaGeo) -> None:
    found = judge(evidence, refit, None).comparisons
    assert found[BASE_RATE].log_score.is_clear(2.6)
    assert found[OWN_RATE].log_score.is_clear(2.6)
    assert found[SAME_COUNT].deviance.is_clear(2.6)
    assert not found[RFM_LOGISTIC].log_score.is_clear_loss(2.0)


def test_a_refit_as_good_as_the_run_in_force_is_published(evidence: Evidence, refit: BetaGeo) -> None:
    verdict = judge(evidence, refit, spoiled(refit, 1.02)).verdict
    assert verdict.publish and "as good as the run in force" in verdict.reason


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_refit_made_worse_on_purpose_is_refused_with_the_numbers(
    evidence: Evidence, refit: BetaGeo, factor: float
) -> None:
    judgement = judge(evidence, spoiled(refit, factor), refit)
    assert not judgement.verdict.publish
    assert "clearly worse than the run in force: log score -0.0" in judgement.verdict.reason
    assert judgement.comparisons[IN_FORCE].is_worse


def test_after_a_drift_the_new_fit_replaces_the_old(refit: BetaGeo) -> None:
    """Sales fell to a quarter four months ago: the old parameters are worse now, and the refit goes through."""
    log = PurchaseDays(purchase_log(800, DAYS, seed=2, change_day=DAYS - 120, change=0.25))
    old, new = (cast(BetaGeo, fit_family(BetaGeo, log.cut(day, ()))) for day in (DAYS - 121, DAYS - 1))
    found = evidence_of(log)
    verdict = judge(found, new, old).verdict
    assert verdict.publish and "clearly better" in verdict.reason
    assert not judge(found, old, new).verdict.publish


def test_worse_than_the_base_rate_is_refused_unless_the_run_in_force_is_worse_still() -> None:
    worse, better = Gain(-0.05, 0.005), Gain(0.05, 0.005)
    none = Gain(0.0, 0.01)
    against_base = Comparison(worse, none)
    assert not decide(None, against_base).publish
    assert not decide(Comparison(none, none), against_base).publish
    assert decide(Comparison(better, none), against_base).publish
    assert decide(None, None).publish


def test_a_history_too_short_gives_no_evidence() -> None:
    assert gather_evidence(PurchaseDays(purchase_log(300, 100, seed=3)), 99, HORIZONS, FAMILIES) is None


def test_a_family_that_cannot_be_fitted_everywhere_is_left_out_and_the_reason_told() -> None:
    few = purchase_log(3000, DAYS, seed=4)
    few = few[(few["day"] > 310) | (few["customer_id"] < 6)]
    assert gather_evidence(PurchaseDays(few), DAYS - 1, HORIZONS, FAMILIES) is None


def test_a_stack_mixes_what_its_members_predict(refit: BetaGeo) -> None:
    other = spoiled(refit, 2.0)
    other.covariance_ = refit.covariance_
    stack = Stack([refit, other], [1, 3])
    x, t_x, age = np.array([0.0, 2.0, 9.0]), np.array([0.0, 10.0, 30.0]), np.array([5.0, 20.0, 40.0])
    for told, one, two in (
        (model.probability_alive(x, t_x, age) for model in (stack, refit, other)),
        (model.probability_no_purchase(4.0, x, t_x, age) for model in (stack, refit, other)),
        (model.expected_purchases(4.0, x, t_x, age) for model in (stack, refit, other)),
    ):
        np.testing.assert_allclose(told, 0.25 * one + 0.75 * two)
    draws = stack.draw_parameters(400, 1)
    np.testing.assert_array_equal(draws, stack.draw_parameters(400, 1))
    assert (draws[:, 0] == 0).sum() == 100
    of_draws = stack.probability_no_purchase(4.0, x, t_x, age, draws)
    assert of_draws.shape == (400, 3)
    np.testing.assert_allclose(of_draws.mean(axis=0), stack.probability_no_purchase(4.0, x, t_x, age), atol=0.02)
    orders, _ = stack.sample_future(10.0, x, t_x, age, np.tile(draws, (20, 1)), np.random.default_rng(2))
    np.testing.assert_allclose(orders.mean(axis=0), stack.expected_purchases(10.0, x, t_x, age), rtol=0.15)


def test_a_stack_recalibrates_the_probability_of_no_purchase_and_its_draws(refit: BetaGeo) -> None:
    curve = Curve("beta", {"a": 1.5, "b": 0.7, "c": -0.2})
    stack = Stack([refit], [1.0], curve)
    rows = (np.array([1.0]), np.array([5.0]), np.array([20.0]))
    plain = refit.probability_no_purchase(4.0, *rows)
    np.testing.assert_allclose(stack.probability_no_purchase(4.0, *rows), curve(plain))


@pytest.mark.parametrize("curve", [None, Curve("beta", {"a": 1.5, "b": 0.7, "c": -0.2})])
def test_a_stack_comes_back_from_json_bit_for_bit(log: PurchaseDays, refit: BetaGeo, curve: Curve | None) -> None:
    other = fit_family(ModifiedBetaGeo, log.cut(DAYS - 1, ()))
    stack = Stack(cast("list[PurchaseModel]", [other, refit]), [0.1, 0.7], curve)
    back = Stack.from_json(stack.to_json(), {"BG/NBD": BetaGeo, "MBG/NBD": ModifiedBetaGeo})
    assert back.to_json() == stack.to_json()
    assert back.parameter_names[:3] == ("member", "mbg_nbd_r", "mbg_nbd_alpha")
    np.testing.assert_array_equal(back.draw_parameters(50, 1), stack.draw_parameters(50, 1))
    rows = (np.array([1.0]), np.array([5.0]), np.array([20.0]))
    assert back.probability_no_purchase(4.0, *rows) == stack.probability_no_purchase(4.0, *rows)
    with pytest.raises(InvalidInput, match="holds MBG/NBD, which this version does not know"):
        Stack.from_json(stack.to_json(), {"BG/NBD": BetaGeo})
