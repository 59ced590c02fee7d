"""A description goes into the simulator and comes out of Postgres again: its mix, its parameters, its customers."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from retentioncast.commands.population import infer
from retentioncast.core.errors import NotEnoughData
from retentioncast.infra import settings as settings_module
from retentioncast.infra.settings import Settings
from retentioncast.infra.subscription_events import read_subscription_events
from retentioncast.models.populations.layout import stated_mix
from retentioncast.models.populations.mixture import Mixture
from simulator.population_files import DEMO
from tests.integration.populations.shop import NOW, fill, quiet
from tests.markdown import ROOT
from tests.ranking import auc

EXAMPLES = sorted((ROOT / "examples/populations").glob("*.yaml"))


def fitted(database: Settings, mixture: Mixture) -> Mixture:
    events = read_subscription_events(database)
    mixture.observe(events.frame, events.observed_at).fit(draws=250, seed=1)
    return mixture


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_found_again_in_the_mirror(database: Settings, file: Path) -> None:
    specification = quiet(file)
    truth = fill(database, specification, 1200)
    mixture = fitted(database, Mixture(specification))
    assert mixture.draws_ is not None
    posterior = mixture.draws_.inference_data.posterior
    counts = truth.value_counts(normalize=True)
    for name in mixture.names:
        share = posterior["mix"].sel(segment=name).to_numpy()
        assert abs(share.mean() - counts[name]) < 4 * share.std() + 1e-3
    for segment in mixture.segments:
        for role in ("cancel", "lifetime"):
            distribution = segment.distribution(role)
            assert distribution is not None
            for name, value in distribution.parameters.items():
                draws = posterior[f"{segment.name}.{role}.{name}"].to_numpy()
                assert abs(draws.mean() - value) < 4 * draws.std() + 1e-6 * value


def test_the_demo_shops_segments_are_found_again_and_told_apart(database: Settings) -> None:
    specification = quiet(DEMO)
    truth = fill(database, specification, 4000)
    mixture = fitted(database, Mixture(specification))
    assert mixture.draws_ is not None
    found = mixture.segment_probabilities().set_index("subscription_id")
    real = truth.loc[found.index]
    mix = mixture.draws_.inference_data.posterior["mix"]
    for name, stated in zip(mixture.names, stated_mix(mixture.segments), strict=True):
        share = mix.sel(segment=name).to_numpy()
        assert share.mean() == pytest.approx((real == name).mean(), abs=4 * share.std() + 0.01), (name, stated)
    over = found.index.isin(_cancelled(database))
    for name in ("early_cancellers", "forgot_to_cancel"):
        assert auc(found.loc[over, name], (real[over] == name).to_numpy()) > 0.9, name


def _cancelled(database: Settings) -> list[int]:
    frame = read_subscription_events(database).frame
    return [int(each) for each in frame.loc[frame["event"] == "cancel", "subscription_id"]]


def test_the_command_infers_a_file_and_says_what_it_found(
    database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = fill(database, quiet(EXAMPLES[0]), 400)
    monkeypatch.setattr(settings_module, "load_settings", lambda: database)
    infer(EXAMPLES[0], probabilities=tmp_path / "who.csv", draws=100, as_json=True)
    told = json.loads(capsys.readouterr().out)
    who = pd.read_csv(tmp_path / "who.csv")
    assert told["customers"] == len(who) == len(truth) and told["source"] == "psis"
    early, forgot = told["shares"]
    assert early["segment"] == "EarlyCancel" and early["low"] < (truth == "EarlyCancel").mean() < early["high"]
    assert early["stated"] == 0.3 and early["mean"] + forgot["mean"] == pytest.approx(1)
    assert {row["metric"] for row in told["forecast"]} == {"active", "churned", "mrr", "retention"}
    infer(EXAMPLES[0], draws=100)
    printed = capsys.readouterr().out
    assert f"{len(truth)} subscriptions" in printed and "Pareto k" in printed and "still there" in printed


def test_what_comes_later_has_not_happened_yet(database: Settings) -> None:
    fill(database, quiet(EXAMPLES[0]), 300)
    now, before = (read_subscription_events(database, at) for at in (None, NOW - timedelta(days=200)))
    assert before.frame["at"].max() <= pd.Timestamp(before.observed_at) < pd.Timestamp(now.observed_at)
    assert (before.frame["event"] == "cancel").sum() < (now.frame["event"] == "cancel").sum()
    assert set(now.frame["reason"].dropna()) == {"cancel", "natural_end"}


def test_a_mirror_without_subscriptions_says_so(database: Settings) -> None:
    with pytest.raises(NotEnoughData, match="Nothing has come through"):
        read_subscription_events(database)
    with pytest.raises(NotEnoughData, match="No subscription had begun"):
        read_subscription_events(database, NOW)
