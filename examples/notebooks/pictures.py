"""The notebooks' plots: data, prior, posterior, trace, forecast against truth."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from retentioncast.models.populations.events import Events
from retentioncast.models.populations.mixture import Mixture
from retentioncast.models.populations.observed import CANCELLED, ENDED, RUNNING, read_events

COLOURS = ("#1f6f8b", "#e07a5f", "#81b29a")


def draw_data(events: Events) -> Figure:
    """How long subscriptions lasted, by how they stand at the date of observation."""
    seen = read_events(events, None, events.time_unit)
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    for (outcome, name), colour in zip(
        ((CANCELLED, "cancelled"), (ENDED, "ended by itself"), (RUNNING, "still running")), COLOURS, strict=True
    ):
        axes.hist(seen.duration[seen.outcome == outcome], bins=60, range=(0, 24), alpha=0.7, label=name, color=colour)
    axes.set(xlabel="months", ylabel="subscriptions", title="The data")
    axes.legend()
    return figure


def draw_prior(mixture: Mixture, draws: int = 30, seed: int = 1) -> Figure:
    """Retention curves of populations drawn from the prior, and the stated one."""
    rng, months = np.random.default_rng(seed), np.linspace(0, 24, 97)
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    for _ in range(draws):
        axes.plot(months, _retention(mixture.draw_prior(rng), months), color=COLOURS[0], alpha=0.2, lw=1)
    axes.plot(months, _retention(mixture.segments, months), color="k", label="as described")
    axes.set(xlabel="months", ylabel="share still there", title="The prior")
    axes.legend()
    return figure


def draw_posterior(mixture: Mixture, data: Any) -> Figure:
    """Prior and posterior of every parameter, with the truth as a line."""
    names = parameters(data)
    rows = (len(names) + 2) // 3
    figure, grid = plt.subplots(rows, 3, figsize=(9, 2.0 * rows), layout="constrained", squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        after, before = values(data.posterior, name).ravel(), values(data.prior, name).ravel()
        low, high = np.quantile(np.concatenate([after, before]), [0.01, 0.99])
        for each, colour in ((before, "#c9c9c9"), (after, COLOURS[0])):
            axes.hist(each, bins=50, range=(low, high), density=True, color=colour, alpha=0.8)
        axes.axvline(truth(mixture, name), color="k", lw=1)
        axes.set_title(name, fontsize=8)
        axes.set_yticks([])
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    return figure


def draw_trace(data: Any, most: int = 4) -> Figure:
    """The chains of some parameters."""
    names = parameters(data)[:most]
    figure, grid = plt.subplots(len(names), 1, figsize=(8, 1.3 * len(names)), layout="constrained", squeeze=False)
    for axes, name in zip(grid.flat, names, strict=True):
        axes.plot(values(data.posterior, name).T, lw=0.6)
        axes.set_ylabel(name, fontsize=6)
    return figure


def draw_forecast(mixture: Mixture, later: list[tuple[float, int]]) -> Figure:
    """How many of today's customers will still be there, with an interval, and how many were."""
    told = mixture.forecast([month for month, _ in later], interval=0.94)
    active = told[told["metric"] == "active"]
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.fill_between(active["horizon"], active["low"], active["high"], alpha=0.3, color=COLOURS[0], label="94 %")
    axes.plot(active["horizon"], active["mean"], color=COLOURS[0])
    axes.plot(*zip(*later, strict=True), "ko", label="what happened")
    axes.set(xlabel="months ahead", ylabel="active", title="The forecast against the truth")
    axes.legend()
    return figure


def parameters(data: Any) -> list[str]:
    """All parameters by name, the mix one by one."""
    mix = [f"mix.{name}" for name in data.posterior["segment"].to_numpy()]
    return mix + [name for name in data.posterior.data_vars if name != "mix"]


def values(group: Any, name: str) -> Any:
    """Draws (chains, draws) of one parameter."""
    if name.startswith("mix."):
        return group["mix"].sel(segment=name.removeprefix("mix.")).to_numpy()
    return group[name].to_numpy()


def truth(mixture: Mixture, name: str) -> float:
    """What was described."""
    if name.startswith("mix."):
        return next(segment.mix for segment in mixture.segments if segment.name == name.removeprefix("mix."))
    segment, role, parameter = name.rsplit(".", 2)
    described = next(each for each in mixture.segments if each.name == segment).distribution(role)
    assert described is not None
    return described.parameters[parameter]


def _retention(segments: Any, months: Any) -> Any:
    total = np.zeros(months.size)
    for segment in segments:
        roles = [d for role in ("cancel", "lifetime") if (d := segment.distribution(role)) is not None]
        total += segment.mix * np.exp(sum(each.log_sf(months) for each in roles))
    return total
