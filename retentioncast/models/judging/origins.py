"""Rolling origins: the days at which we pretend to know nothing of what came later, and then look."""

from __future__ import annotations

from retentioncast.models.judging.purchase_days import Cut, PurchaseDays

#: From one origin to the next: windows of the shortest horizon do not overlap.
STEP_DAYS = 30
MOST_ORIGINS = 6
#: History before the first origin: less tells nothing of who comes back; nor does a model fitted to less than half of
#: what there is now tell of the one that would be published.
LEAST_HISTORY_DAYS = 90
LEAST_SHARE = 0.5


def choose_origins(first_day: int, as_of: int, horizons_days: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Origins (newest first) with the horizons that have passed by the end of day `as_of`; empty: too short a history.

    They lie 30, 60, ... days back, at most 6, none with less than 90 days or half of the history before it. So the
    shortest horizon is judged on the newest days, and each horizon at every origin where its outcome is known.
    """
    origins = {}
    for back in range(STEP_DAYS, STEP_DAYS * MOST_ORIGINS + 1, STEP_DAYS):
        origin = as_of - back
        passed = tuple(days for days in horizons_days if days <= back)
        if passed and origin - first_day >= max(LEAST_HISTORY_DAYS, LEAST_SHARE * (as_of - first_day)):
            origins[origin] = passed
    return origins


def days_needed(horizons_days: tuple[int, ...]) -> int:
    """How long a history must be for one origin."""
    return LEAST_HISTORY_DAYS + STEP_DAYS * -(-min(horizons_days) // STEP_DAYS)


def rolling_cuts(log: PurchaseDays, as_of: int, horizons_days: tuple[int, ...]) -> list[Cut]:
    """A cut at each origin, oldest first, with the outcomes that had come by `as_of` and no later ones."""
    origins = choose_origins(log.first_day, as_of, horizons_days)
    return [log.cut(origin, passed) for origin, passed in sorted(origins.items())]
