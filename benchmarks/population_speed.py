"""Speed of populations: sampling against a loop over customers, the posterior against the model as PyMC writes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.mixtures import EXAMPLES
from benchmarks.results import Claim, Result
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.observed import CANCELLED, ENDED
from retentioncast.models.populations.specification import parse_specification

#: Without atoms, so that PyMC can write it down as it is.
DIRECT: list[dict[str, Any]] = [
    {"name": "Quick", "mix": 0.4, "cancel_dist": ("exponential", {"rate": 0.4}),
     "lifetime_dist": ("weibull", {"shape": 1.5, "scale": 12})},
    {"name": "Slow", "mix": 0.6, "cancel_dist": ("exponential", {"rate": 0.06}),
     "lifetime_dist": ("weibull", {"shape": 1.5, "scale": 24})},
]  # fmt: skip
LOOPED = 50_000

METHOD = """Sampling: events of {customers:,} customers as a data frame, against a Python loop that draws each
customer's segment, wish, natural end and start and appends its events (timed for {looped:,}, in proportion), turn by
turn. Posterior: {fitted:,} customers of two segments; `Mixture.fit` (importance draws, and nutpie on the grouped rows)
against the same model written directly in PyMC, a term a customer, labels summed out, sampled by nutpie and by PyMC's
own NUTS. Counted is the least bulk effective sample size of all parameters a second (of importance draws that of their
weights, where it is less), everything from the model to the draws included."""


def run_population_speed(customers: int = 1_000_000, fitted: int = 10_000, draws: int = 250) -> Result:
    """One run; `draws` are those of each chain of the slow contenders."""
    sampling = _sampling(customers)
    posterior = _posterior(fitted, draws)
    ratio = sampling["loop"] / sampling["ours"]
    direct = max(rate for name, (_, _, rate) in posterior.items() if name.startswith("PyMC"))
    nuts = posterior["ours, nutpie"][2]
    table = [(f"sampling {customers:,} customers: {name}", f"{s:.2f}", "", "") for name, s in sampling.items()]
    table += [
        (f"posterior of {fitted:,}: {name}", f"{s:.1f}", f"{ess:.0f}", f"{rate:.2f}")
        for name, (s, ess, rate) in posterior.items()
    ]
    claims = [
        Claim(f"sampling {customers:,} customers, against a loop over customers", ratio, 20, at_least=True),
        Claim("effective draws a second of the fit, against the model written directly in PyMC",
              posterior["ours, importance"][2] / direct, 10, at_least=True),
        Claim("the same, ours by NUTS too", nuts / direct, 10, at_least=True),
    ]  # fmt: skip
    method = " ".join(METHOD.format(customers=customers, looped=LOOPED, fitted=fitted).split())
    rates = {name: [rate] for name, (_, _, rate) in posterior.items()}
    measurements = {"kind": "effective", "rates": rates, "ours": [name for name in rates if name.startswith("ours")]}
    headings = ("what", "seconds", "effective draws", "effective draws a second")
    return Result("populations", "Populations: speed", method, headings, table, claims, measurements)


def _sampling(customers: int, rounds: int = 3) -> dict[str, float]:
    text = (EXAMPLES / "early_and_forgotten.yaml").read_text(encoding="utf-8")
    mixture = Mixture(parse_specification(text, "yaml"))
    ours, loop = [], []
    for seed in range(rounds):
        ours.append(_timed(lambda seed=seed: mixture.sample(customers, seed)))  # type: ignore[misc]
        loop.append(_timed(lambda seed=seed: loop_over_customers(mixture, LOOPED, seed)))  # type: ignore[misc]
    return {"ours": float(np.median(ours)), "loop": float(np.median(loop)) * customers / LOOPED}


def loop_over_customers(mixture: Mixture, customers: int, seed: int) -> pd.DataFrame:
    """The same events, a customer at a time."""
    rng, calendar = np.random.default_rng(seed), mixture.calendar()
    edges = np.cumsum([segment.mix for segment in mixture.segments])
    rows: list[tuple[Any, ...]] = []
    for customer in range(1, customers + 1):
        segment = mixture.segments[int(np.searchsorted(edges, rng.random()))]
        assert segment.cancel_dist is not None and segment.lifetime_dist is not None
        wish, end = (float(each.sample(rng, 1)[0]) for each in (segment.cancel_dist, segment.lifetime_dist))
        begun = calendar.origin + timedelta(days=rng.random() * calendar.arrivals * calendar.unit_days)
        over = begun + timedelta(days=min(wish, end) * calendar.unit_days)
        plan, channel = (_pick(rng, segment.shares(name)) for name in ("plan", "channel"))
        rows.append((customer, "subscribe", begun, None, plan, "monthly", channel, None))
        if over <= calendar.observed_at:
            reason = _pick(rng, segment.shares("detail")) if wish <= end else None
            why = "cancel" if wish <= end else "natural_end"
            rows.append((customer, "cancel", over, why, plan, "monthly", channel, reason))
    names = ("customer_id", "event", "at", "reason", "plan", "billing_period", "channel", "detail")
    return pd.DataFrame(rows, columns=list(names))


def _pick(rng: np.random.Generator, shares: Any) -> str:
    point = rng.random()
    for name, share in shares.items():
        point -= share
        if point < 0:
            return str(name)
    return str(name)


def _posterior(customers: int, draws: int) -> dict[str, tuple[float, float, float]]:
    """Seconds, least effective sample size and their ratio, by contender."""
    mixture = Mixture(DIRECT)
    events = mixture.sample(customers, seed=1)
    mixture.observe(events, resolution_days=None)
    model = direct_model(mixture)
    found: dict[str, tuple[float, float, float]] = {}

    def measure(name: str, sample: Callable[[], Any], names: list[str]) -> None:
        begun = time.perf_counter()
        data = sample()
        seconds = time.perf_counter() - begun
        # Draws by importance repeat the heavy points: they are worth what their weights are.
        least = float(np.nanmin([_least_ess(data.posterior, names), data.attrs.get("importance_ess", np.nan)]))
        found[name] = (seconds, least, least / seconds)

    ours = [slot.name for slot in mixture.prior_layout().slots]
    measure("ours, importance", lambda: mixture.observe(events).fit(seed=1), ours)
    measure(
        "ours, nutpie",
        lambda: mixture.observe(events).fit(draws=draws, tune=200, chains=2, sampler="nutpie", seed=1), ours,
    )  # fmt: skip
    for sampler in ("nutpie", "pymc"):
        measure(f"PyMC, a term a customer, {sampler}", lambda s=sampler: _sample(model, s, draws), DIRECT_NAMES)  # type: ignore[misc]
    return found


DIRECT_NAMES = ["mean_0", "mean_gap", "shape_0", "shape_1", "scale_0", "scale_1"]


def direct_model(mixture: Mixture) -> Any:
    """As one writes it in PyMC: a term a customer for each segment, labels summed out, means in order."""
    import pymc as pm
    import pytensor.tensor as pt

    assert mixture.observed_ is not None
    seen = mixture.observed_.subscriptions
    t, outcome = seen.duration, seen.outcome
    with pm.Model() as model:
        mix = pm.Dirichlet("mix", np.array([5.0, 7.0]))
        first = pm.LogNormal("mean_0", np.log(2.5), 0.5)
        means = [first, first * pt.exp(pm.LogNormal("mean_gap", np.log(np.log(16.7 / 2.5)), 0.5))]
        terms = []
        for k, scale in enumerate((12.0, 24.0)):
            shape_k, scale_k = (
                pm.LogNormal(f"shape_{k}", np.log(1.5), 0.5),
                pm.LogNormal(f"scale_{k}", np.log(scale), 0.5),
            )
            wish = pm.Exponential.dist(scale=means[k])
            end = pm.Weibull.dist(shape_k, scale_k)
            log_sf = [-t / means[k], -((t / scale_k) ** shape_k)]
            cancelled = pm.logp(wish, t) + log_sf[1]
            ended = pm.logp(end, t) + log_sf[0]
            term = pt.switch(pt.eq(outcome, CANCELLED), cancelled, pt.switch(pt.eq(outcome, ENDED), ended, sum(log_sf)))
            terms.append(pt.log(mix[k]) + term)
        pm.Potential("customers", pt.sum(pt.logaddexp(*terms)))
    return model


def _sample(model: Any, sampler: str, draws: int) -> Any:
    import pymc as pm

    return pm.sample(
        draws, tune=200, chains=2, cores=2, nuts_sampler=sampler, random_seed=1, progressbar=False, model=model,
        compute_convergence_checks=False,
    )  # fmt: skip


def _least_ess(posterior: Any, names: list[str]) -> float:
    from arviz_stats.base import array_stats

    return float(min(array_stats.ess(np.asarray(posterior[name])) for name in names))


def _timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
