"""Survival of subscriptions: published numbers, recovery, conditional survival at any age, and every fallback."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.metadata import files

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from retentioncast.core.errors import NotEnoughData
from retentioncast.models import SubscriptionSurvival
from retentioncast.models.stored import DamagedModel, NotFitted

DAILY = {"basic": 0.006, "pro": 0.003, "enterprise": 0.0015}


def _shop(n: int, seed: int) -> pd.DataFrame:
    """Exponential lives by plan, observed for up to 700 days."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(list(DAILY), n, p=[0.5, 0.3, 0.2])
    life, watched = rng.exponential([1 / DAILY[p] for p in plan]), rng.uniform(1, 700, n)
    return pd.DataFrame(
        {
            "duration_days": np.minimum(life, watched),
            "event": (life <= watched).astype(int),
            "plan": plan,
            "billing_period": "monthly",
            "channel": rng.choice(["ads", "friends"], n),
            "price": [{"basic": Decimal(10), "pro": Decimal(30), "enterprise": Decimal(99)}[p] for p in plan],
        },
        index=[f"s{i}" for i in range(n)],
    )


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    return _shop(4000, seed=1)


@pytest.fixture(scope="module")
def fitted(shop: pd.DataFrame) -> SubscriptionSurvival:
    return SubscriptionSurvival().fit(shop)


def _rossi() -> pd.DataFrame:
    path = next(file for file in files("lifelines") or [] if file.name == "rossi.csv").locate()
    return pd.read_csv(str(path)).rename(columns={"week": "duration_days", "arrest": "event"})


def test_cox_gives_the_numbers_of_rossi() -> None:
    model = SubscriptionSurvival(["fin", "age", "race", "wexp", "mar", "paro", "prio"]).fit(_rossi())
    published = {"fin": -0.3794, "age": -0.0574, "race": 0.3139, "wexp": -0.1498}
    published |= {"mar": -0.4337, "paro": -0.0849, "prio": 0.0915}
    assert {name: round(value, 4) for name, value in model.coefficients_.items()} == published
    assert round(model.log_likelihood_, 3) == -658.748
    assert model.kind_ == "cox" and model.n_events_ == 114 and model.notes_ == ()


def test_the_effect_of_a_plan_is_recovered(fitted: SubscriptionSurvival) -> None:
    """Price is a combination of the plans here, and billing constant: both are left out, with a note."""
    assert set(fitted.coefficients_) == {"plan=pro", "plan=enterprise", "channel=friends"}
    assert fitted.coefficients_["plan=pro"] == pytest.approx(np.log(0.5), abs=0.15)
    assert fitted.coefficients_["plan=enterprise"] == pytest.approx(np.log(0.25), abs=0.25)
    assert fitted.coefficients_["channel=friends"] == pytest.approx(0, abs=0.15)
    assert any("price left out" in note for note in fitted.notes_)
    assert any("billing_period left out: constant" in note for note in fitted.notes_)


@pytest.mark.parametrize("age", [0.0, 10.0, 300.0, 690.0, 5000.0])
def test_survival_from_the_present_age_is_the_true_one_also_beyond_the_data(
    fitted: SubscriptionSurvival, age: float
) -> None:
    """Lives without memory: whatever the age, a plan's survival over 60 days is exp(-60 rate)."""
    plans = pd.DataFrame({"duration_days": age, "plan": list(DAILY), "channel": "ads"})
    survival = fitted.conditional_survival(plans)
    truth = np.exp(-60 * np.array(list(DAILY.values())))
    np.testing.assert_allclose(survival["survival_60d"], truth, atol=0.06)
    assert (survival["survival_30d"] > survival["survival_60d"]).all()
    assert (survival["survival_60d"] > survival["survival_90d"]).all()
    for days in (30, 60, 90):
        assert survival[f"survival_{days}d"].between(survival[f"survival_{days}d_low"], 1).all()
        assert survival[f"survival_{days}d"].between(0, survival[f"survival_{days}d_high"]).all()


def test_the_interval_holds_its_share_over_many_shops() -> None:
    """80 % intervals of 60 shops of 300 subscriptions: inside the 99 % binomial band."""
    held = 0
    for seed in range(60):
        frame = _shop(300, seed).query("plan == 'basic'")
        basic = SubscriptionSurvival([]).fit(frame).conditional_survival(pd.DataFrame({"duration_days": [20.0]}))
        low, high = basic["survival_60d_low"].iloc[0], basic["survival_60d_high"].iloc[0]
        held += bool(low <= np.exp(-60 * DAILY["basic"]) <= high)
    assert 40 <= held <= 55


def test_kaplan_meier_is_that_of_lifelines(shop: pd.DataFrame) -> None:
    model = SubscriptionSurvival([]).fit(shop)
    curve = KaplanMeierFitter().fit(shop["duration_days"], shop["event"])
    ages = np.array([0.0, 50.0, 200.0, 400.0])
    ours = model.conditional_survival(pd.DataFrame({"duration_days": ages}))["survival_90d"]
    theirs = curve.predict(ages + 90).to_numpy() / curve.predict(ages).to_numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert model.kind_ == "kaplan_meier" and model.coefficients_ == {}


def test_few_cancellations_give_kaplan_meier_with_a_note(shop: pd.DataFrame) -> None:
    quiet = shop.assign(event=np.where(np.arange(len(shop)) < 12, 1, 0)).head(200)
    model = SubscriptionSurvival().fit(quiet)
    assert model.kind_ == "kaplan_meier"
    assert any("12 cancellations" in note and "needed for Cox" in note for note in model.notes_)


def test_a_level_that_nobody_cancelled_joins_the_reference(shop: pd.DataFrame) -> None:
    loyal = shop.assign(event=np.where(shop["plan"] == "enterprise", 0, shop["event"]))
    model = SubscriptionSurvival(["plan"]).fit(loyal)
    assert set(model.coefficients_) == {"plan=pro"}
    assert any("plan=enterprise joins basic" in note for note in model.notes_)


def test_missing_and_unknown_covariates_count_as_average(fitted: SubscriptionSurvival) -> None:
    frame = pd.DataFrame({"duration_days": 30.0, "plan": ["gold", None], "channel": [None, "fax"]})
    survival = fitted.conditional_survival(frame)["survival_30d"]
    assert np.isfinite(survival).all() and 0 < survival.iloc[1] < 1
    bare = fitted.conditional_survival(frame[["duration_days"]])["survival_30d"]
    assert bare.iloc[0] == pytest.approx(survival.iloc[1], rel=0.1)


def test_without_any_cancellation_nothing_is_fitted(shop: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData, match="none of 4000 subscriptions was ever cancelled"):
        SubscriptionSurvival().fit(shop.assign(event=0))


def test_too_few_subscriptions_are_not_fitted(shop: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData, match="needs 10 subscriptions; there are 3"):
        SubscriptionSurvival().fit(shop.head(3))


def test_when_all_cancelled_on_one_day_few_survive_it() -> None:
    model = SubscriptionSurvival().fit(pd.DataFrame({"duration_days": [30.0] * 40, "event": [1] * 40}))
    survival = model.conditional_survival(pd.DataFrame({"duration_days": [0.0, 10.0]}), (15, 25))
    assert survival["survival_15d"].tolist() == [1.0, 1.0]
    assert survival["survival_25d"].iloc[0] == 1.0 and 0 < survival["survival_25d"].iloc[1] < 0.05


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("duration_days", -3.0, "'duration_days', row 's2': -3.0 is negative"),
        ("duration_days", np.inf, "'duration_days', row 's2': inf is not a finite number"),
        ("event", 2, "'event', row 's2': 2.0 is neither 0 nor 1"),
    ],
)
def test_a_bad_value_is_named(shop: pd.DataFrame, column: str, value: float, message: str) -> None:
    broken = shop.assign(**{column: shop[column].mask(shop.index == "s2", value)})
    with pytest.raises(ValueError) as caught:
        SubscriptionSurvival().fit(broken)
    assert message in str(caught.value)


def test_json_round_trip_gives_the_same_survival(fitted: SubscriptionSurvival, shop: pd.DataFrame) -> None:
    again = SubscriptionSurvival.from_json(fitted.to_json())
    pd.testing.assert_frame_equal(again.conditional_survival(shop), fitted.conditional_survival(shop))
    assert again.to_json() == fitted.to_json() and again.notes_ == fitted.notes_
    broken = json.loads(fitted.to_json()) | {"kind": "oracle"}
    with pytest.raises(DamagedModel, match="hash"):
        SubscriptionSurvival.from_json(json.dumps(broken))


def test_without_a_fit_it_says_so(shop: pd.DataFrame) -> None:
    with pytest.raises(NotFitted):
        SubscriptionSurvival().conditional_survival(shop)
