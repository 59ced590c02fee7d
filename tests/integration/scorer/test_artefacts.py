"""The scorer and the model store: what it publishes is kept, what is pinned is used, a store that fails is a note."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from retentioncast.core.clock import SystemClock
from retentioncast.infra.artefacts.opening import open_files
from retentioncast.infra.artefacts.promotions import Promotions
from retentioncast.infra.artefacts.store import ModelStore
from retentioncast.infra.postgres import connect
from retentioncast.infra.settings import Settings
from retentioncast.models.btyd.families import FAMILIES
from retentioncast.models.btyd.repeat_buying import RepeatBuyingModel
from scorer.bootstrap import score_once
from scorer.models import read_stored
from tests.integration.scorer.mirror import add_transactions, plausible_shop, set_stream_time, with_scorer
from tests.integration.scorer.test_service import environment

DEADLINE_S = 120.0


@pytest.fixture
def shop(database: Settings, tmp_path: Path) -> Settings:
    """A shop with plenty to fit, and a model store of its own."""
    add_transactions(database, plausible_shop(seed=4))
    set_stream_time(database, 300)
    with connect(database, "consumer") as connection:
        connection.execute(
            "insert into analytics.customer_totals select customer_id, min(occurred_at), max(occurred_at), count(*),"
            " sum(amount) from analytics.transactions group by 1"
        )
    return with_store(with_scorer(database), str(tmp_path / "models"))


def with_store(settings: Settings, url: str, timeout_s: float = 20.0) -> Settings:
    models = settings.models.model_copy(update={"url": url, "timeout_s": timeout_s})
    return settings.model_copy(update={"models": models})


def history_of(settings: Settings) -> Promotions:
    return Promotions(ModelStore(open_files(settings.models.url, 20), SystemClock()))


def parameters(settings: Settings, run_id: int) -> object:
    """Of every member of the stack, and of spend."""
    with connect(settings, "reader") as connection:
        row = connection.execute("select parameters from scores.model_runs where run_id = %s", [run_id]).fetchone()
        query = "select family, weight, parameters from scores.purchase_models where run_id = %s order by member"
        stack = connection.execute(query, [run_id]).fetchall()
    return row and (stack, row[0]["spend"]["parameters"])


def test_a_published_run_puts_its_models_into_the_store_and_in_force(shop: Settings) -> None:
    run = score_once(shop)
    history = history_of(shop)
    now = history.current()
    assert now is not None and (now.action, now.pinned) == ("published", False)
    stored = history.store.read(now.version)
    assert set(stored.files) == {"purchase.json", "spend.json", "draws.nc"}
    told = (run.parameters or {})["purchase"]
    stack = read_stored(stored.files["purchase.json"].decode(), FAMILIES)
    heaviest = cast(RepeatBuyingModel, stack.members[int(stack.weights.argmax())])
    assert (heaviest.family, heaviest.params_) == (told["model"], told["parameters"])
    origin = stored.manifest.origin
    assert (origin.run_id, origin.as_of, origin.customers) == (run.run_id, run.as_of, 300)
    assert run.log_likelihood is None and origin.metrics == {}, "a stack of several has no likelihood of its own"
    assert "numpy" in origin.packages and origin.code_version == run.code_version


def test_a_refused_run_leaves_the_store_as_it_is(shop: Settings) -> None:
    scorer = shop.scorer.model_copy(update={"min_customers": 10_000})
    assert score_once(shop.model_copy(update={"scorer": scorer})).status == "refused"
    assert history_of(shop).store.versions() == []


def test_pinned_models_score_as_they_are_until_the_pin_is_released(shop: Settings) -> None:
    first = score_once(shop)
    assert len((first.parameters or {})["judgement"]["weights"]) > 1, "a stack of several is what a pin must hold"
    history = history_of(shop)
    old = history.store.versions()[0]
    set_stream_time(shop, 302)
    assert first.run_id is not None
    history.promote(old, "promoted", pinned=True)
    second = score_once(shop)
    assert second.run_id is not None and second.as_of != first.as_of
    assert f"Scored with the pinned models of version {old}; not refitted." in second.reason
    assert second.log_likelihood is None
    assert parameters(shop, second.run_id) == parameters(shop, first.run_id)
    assert history.store.versions() == [old]
    history.promote(old, "released", pinned=False)
    third = score_once(shop)
    assert third.run_id is not None and "pinned" not in third.reason
    assert parameters(shop, third.run_id) != parameters(shop, first.run_id)
    assert len(history.store.versions()) == 2


def test_a_broken_version_is_refused_and_the_last_good_one_scores(shop: Settings) -> None:
    score_once(shop)
    set_stream_time(shop, 302)
    score_once(shop)
    history = history_of(shop)
    good, broken = history.store.versions()
    history.promote(broken, "promoted", pinned=True)
    history.store.files.remove(f"versions/{broken}/spend.json")
    run = score_once(shop)
    assert run.status == "published"
    assert f"Version {broken} is refused: spend.json of version {broken} is missing" in run.reason
    assert f"Scored with the pinned models of version {good}" in run.reason


def test_a_store_that_does_not_answer_holds_no_scores_back(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    run = score_once(with_store(shop, "s3://bucket/models", timeout_s=0.5))
    assert run.status == "published"
    assert "Models not read: The model store s3://bucket/models did not let us list" in run.reason
    assert "Models not stored: The model store s3://bucket/models did not let us write" in run.reason
    with connect(shop, "reader") as connection:
        rows = connection.execute("select reason from scores.model_runs").fetchall()
    assert rows == [(run.reason,)]


@pytest.fixture
def service(shop: Settings) -> Iterator[subprocess.Popen[str]]:
    """A scorer whose period is longer than any test."""
    env = environment(shop, SCORER__PERIOD_S="86400", MODELS__URL=shop.models.url)
    with subprocess.Popen([sys.executable, "-m", "scorer"], env=env, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def wait_for(settings: Settings, runs: int) -> list[str]:
    """The reasons of all runs, once there are so many."""
    give_up = time.monotonic() + DEADLINE_S
    with connect(settings, "reader", autocommit=True) as connection:
        while time.monotonic() < give_up:
            rows = connection.execute("select reason from scores.model_runs order by run_id").fetchall()
            if len(rows) >= runs:
                return [str(row[0]) for row in rows]
            time.sleep(0.1)
    pytest.fail("there was no run in time")


def wait_until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < give_up, "it did not come about in time"
        time.sleep(0.05)


def test_a_running_scorer_is_rolled_back_and_let_go_by_the_command(
    shop: Settings, service: subprocess.Popen[str]
) -> None:
    env = environment(shop, MODELS__URL=shop.models.url)

    def models(*arguments: str) -> str:
        command = [sys.executable, "-c", "from retentioncast.cli import main; main()", "models", *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    # One family is not enough for this shop: the first run fails, and the judge publishes others at once.
    failed, _ = wait_for(shop, 2)
    assert failed.startswith("parameter b runs off to infinity")
    history = history_of(shop)
    wait_until(lambda: history.number() >= 1)  # the models follow the scores
    first = history.store.versions()[0]
    history.promote(history.store.put(history.store.read(first).files, history.store.manifest(first).origin).version,
                    "promoted", pinned=False)  # fmt: skip
    wait_for(shop, 3)
    told = json.loads(models("rollback", "--json", "--note", "scores looked odd"))
    assert (told["action"], told["pinned"]) == ("rolled back", True)
    assert f"Scored with the pinned models of version {told['version']}" in wait_for(shop, 4)[3]
    assert "in force (released" in models("promote", "--refit")
    assert "pinned" not in wait_for(shop, 5)[4]
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=DEADLINE_S)
    assert service.returncode == 0
    assert os.listdir(shop.models.url)
