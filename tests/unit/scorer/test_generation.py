"""What is published when a part cannot be fitted: never nothing in the place of something."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from retentioncast.core.errors import FitFailed, NotEnoughData, Retry
from retentioncast.infra.settings import ScorerSettings
from scorer import generation
from scorer.generation import inactive, make_generation
from scorer.part import Part, Refused, status_of
from scorer.snapshot import InForce, Snapshot

SETTINGS = ScorerSettings()
CUSTOMERS = pd.DataFrame({"days_since_order": [1.0, 45.0]}, index=pd.Index([1, 2], name="customer_id"))
SUBSCRIPTIONS = pd.DataFrame({"customer_id": [3]})


def snapshot(in_force: InForce | None = None, subscriptions: pd.DataFrame = SUBSCRIPTIONS) -> Snapshot:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Snapshot(moment, CUSTOMERS, subscriptions, moment, moment, in_force)


def part(column: str, customers: list[int], has_money: bool = True) -> Part:
    notes = () if has_money else ("No money columns: all spend the same.",)
    scores = pd.DataFrame({column: [0.5] * len(customers)}, index=customers)
    return Part(
        scores, {"purchase" if column[0] == "n" else "subscription": {"parameters": {}}}, notes, -1.0, has_money
    )


PURCHASES = part("no_purchase_30d", [1, 2])
SURVIVAL = part("subscription_survival_30d", [3])


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part | Exception]:
    """What each fit gives or raises."""
    results: dict[str, Part | Exception] = {"purchases": PURCHASES, "subscriptions": SURVIVAL}

    def give(name: str) -> Part:
        result = results[name]
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(generation, "score_purchases", lambda *_: give("purchases"))
    monkeypatch.setattr(generation, "score_subscriptions", lambda *_: give("subscriptions"))
    return results


def test_everybody_with_an_order_or_a_subscription_is_scored(fits: dict[str, Part | Exception]) -> None:
    scores = make_generation(snapshot(), SETTINGS).scores
    assert scores.index.tolist() == [1, 2, 3]
    assert scores.loc[3, "subscription_survival_30d"] == 0.5
    assert scores[["no_purchase_30d", "inactive_30d"]].loc[3].isna().all()


def test_a_subscription_fit_that_fails_leaves_the_purchase_scores_and_says_why(
    fits: dict[str, Part | Exception],
) -> None:
    fits["subscriptions"] = FitFailed("Cox found no maximum.")
    made = make_generation(snapshot(InForce(1, True, True)), SETTINGS)
    assert "subscription_survival_30d" not in made.scores
    assert made.notes[0] == "Subscriptions not scored: Cox found no maximum."
    assert made.parameters["subscription"] is None


def test_an_error_nobody_thought_of_in_one_fit_does_not_spoil_the_other(fits: dict[str, Part | Exception]) -> None:
    fits["subscriptions"] = ZeroDivisionError("division by zero")
    made = make_generation(snapshot(), SETTINGS)
    assert "ZeroDivisionError: division by zero" in made.notes[0]
    assert made.scores["no_purchase_30d"].notna().sum() == 2


def test_a_shop_of_subscriptions_alone_is_scored(fits: dict[str, Part | Exception]) -> None:
    fits["purchases"] = NotEnoughData("Too few.")
    made = make_generation(snapshot(InForce(1, has_purchases=False, has_money=False)), SETTINGS)
    assert made.scores["subscription_survival_30d"].notna().sum() == 1
    assert made.notes == ("Repeat buying not scored: Too few.",)


def test_purchase_scores_in_force_are_never_replaced_by_none(fits: dict[str, Part | Exception]) -> None:
    fits["purchases"] = FitFailed("parameter b runs off to infinity.")
    with pytest.raises(Refused, match=r"Run 7 is in force and stays so: .* b runs off to infinity"):
        make_generation(snapshot(InForce(7, True, False)), SETTINGS)


def test_values_in_force_are_never_replaced_by_none(fits: dict[str, Part | Exception]) -> None:
    fits["purchases"] = part("no_purchase_30d", [1, 2], has_money=False)
    make_generation(snapshot(InForce(7, True, False)), SETTINGS)
    with pytest.raises(Refused, match="all spend the same"):
        make_generation(snapshot(InForce(7, True, True)), SETTINGS)


def test_when_nothing_can_be_fitted_the_reason_is_that_of_repeat_buying(fits: dict[str, Part | Exception]) -> None:
    fits["purchases"] = FitFailed("b runs off.")
    fits["subscriptions"] = NotEnoughData("3 subscriptions.")
    with pytest.raises(FitFailed, match="b runs off"):
        make_generation(snapshot(), SETTINGS)


def test_nonsense_is_refused(fits: dict[str, Part | Exception]) -> None:
    fits["purchases"] = Part(pd.DataFrame({"no_purchase_30d": [0.5, 1.5]}, index=[1, 2]), {})
    with pytest.raises(Refused, match=r"customer 2 is 1\.5"):
        make_generation(snapshot(), SETTINGS)


def test_inactive_is_more_than_so_many_days_without_an_order() -> None:
    days = pd.DataFrame({"days_since_order": [30.0, 30.001, 91.0]})
    assert inactive(days).to_numpy().tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 1]]


def test_refused_is_for_data_and_failed_for_what_did_not_work() -> None:
    assert status_of(NotEnoughData("")) == status_of(Refused("")) == "refused"
    assert status_of(FitFailed("")) == status_of(Retry("")) == "failed"
