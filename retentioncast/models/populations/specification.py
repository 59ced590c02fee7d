"""A description of populations: the Python form, YAML or TOML, checked field by field."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from retentioncast.models.btyd.time_unit import DAYS_PER_UNIT, TimeUnit
from retentioncast.models.populations.habits import HABITS, read_habits
from retentioncast.models.populations.problems import (
    InvalidPopulation,
    number,
    only_known,
    share,
    shares,
    sums_to_one,
)
from retentioncast.models.populations.reading import read_distribution
from retentioncast.models.populations.segments import KINDS, PRIOR_SD, Segment

_ATTRIBUTE_KEYS = {"plan": "plan", "billing": "billing_period", "channel": "channel", "reasons": "detail"}
_SEGMENT_KEYS = (
    "name", "mix", "kind", "cancel_dist", "lifetime_dist", "subscribes", "outlives_activity", "prices", "prior_sd",
    *_ATTRIBUTE_KEYS, *HABITS,
)  # fmt: skip
_KEYS = (
    "populations", "pop_size", "random_seed", "time_unit", "prices", "duplicate_share", "plan_changes",
    "start_delay_days",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shop:
    """What the simulator is told of the whole shop, whatever the segment."""

    #: A period's price by plan and billing period, in the shop's currency.
    prices: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {
            "basic": {"monthly": 9.9, "yearly": 99.0},
            "pro": {"monthly": 29.0, "yearly": 290.0},
            "enterprise": {"monthly": 99.0, "yearly": 990.0},
        }
    )
    #: Of those that arrive, so many are a second account of somebody who is already there.
    duplicate_share: float = 0.0
    #: The share of renewals at which the plan is changed.
    plan_changes: float = 0.0
    #: Mean days from signing up to subscribing.
    start_delay_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Specification:
    """Populations that were checked. Waiting times are in `time_unit`."""

    segments: tuple[Segment, ...]
    pop_size: int
    random_seed: int
    time_unit: TimeUnit
    shop: Shop
    #: What was given, as JSON: the same text makes the same specification.
    text: str


def read_specification(given: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> Specification:
    """Populations as a list of dictionaries, or a dictionary with `populations` and what belongs to all of them.

    Raises InvalidPopulation, which names population and field.
    """
    whole: Mapping[str, Any] = given if isinstance(given, Mapping) else {"populations": given}
    only_known("", whole, _KEYS)
    populations = whole.get("populations")
    if isinstance(populations, str | Mapping) or not isinstance(populations, Sequence) or not populations:
        raise InvalidPopulation("", "populations", "there is none", "Give a list of at least one population.")
    segments = tuple(_segment(number, each) for number, each in enumerate(populations, 1))
    _refuse_duplicates(segments)
    sums_to_one("", "mix", [segment.mix for segment in segments])
    return Specification(
        segments,
        _whole(whole, "pop_size", 10_000, 1),
        _whole(whole, "random_seed", 42, 0),
        _time_unit(whole.get("time_unit", "month")),
        _shop(whole),
        json.dumps(whole),
    )


def parse_specification(text: str, form: str) -> Specification:
    """Populations from a text in `form` yaml, toml or json. Raises InvalidPopulation."""
    readers: dict[str, Callable[[str], Any]] = {
        "yaml": yaml.safe_load, "yml": yaml.safe_load, "toml": tomllib.loads, "json": json.loads,
    }  # fmt: skip
    try:
        found = readers[form](text)
    except KeyError:
        raise InvalidPopulation("", "file", f"{form!r} is no known form", "Use .yaml, .toml or .json.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidPopulation("", "file", f"is no {form}: {error}", "Correct the file.") from error
    if not isinstance(found, Mapping | list):
        raise InvalidPopulation("", "file", "holds no populations", "Give a list under the key populations.")
    return read_specification(found)


def _segment(position: int, given: Any) -> Segment:
    name = given.get("name") if isinstance(given, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise InvalidPopulation(f"number {position}", "name", "is missing", "Give every population a name.")
    only_known(name, given, _SEGMENT_KEYS)
    if "mix" not in given:
        raise InvalidPopulation(name, "mix", "is missing", "Give the population's share.")
    subscribes = share(name, "subscribes", given.get("subscribes", 1.0))
    waiting = {role: _waiting(name, role, given, subscribes > 0) for role in ("cancel_dist", "lifetime_dist")}
    return _kind(name, given)(
        name=name,
        mix=_mix(name, given["mix"]),
        attributes={to: shares(name, key, given[key]) for key, to in _ATTRIBUTE_KEYS.items() if key in given},
        subscribes=subscribes,
        outlives_activity=_yes(name, "outlives_activity", given.get("outlives_activity", False)),
        prices=_prices(name, given.get("prices", {})),
        prior_sd=_above_zero(name, "prior_sd", given.get("prior_sd", PRIOR_SD)),
        habits=read_habits(name, given),
        **waiting,
    )


def _waiting(name: str, role: str, given: Mapping[str, Any], needed: bool) -> Any:
    if role in given:
        return read_distribution(name, role, given[role], waiting=needed or role == "lifetime_dist")
    if needed or role == "lifetime_dist":
        raise InvalidPopulation(name, role, "is missing", "Say it: ('exponential', {'rate': 0.1}).")
    return None


def _kind(name: str, given: Mapping[str, Any]) -> type[Segment]:
    kind = given.get("kind", name if name in KINDS else "Segment")
    if kind not in KINDS:
        raise InvalidPopulation(name, "kind", f"unknown kind {kind!r}", f"Known: {', '.join(KINDS)}.")
    return KINDS[kind]


def _mix(name: str, value: object) -> float:
    found = share(name, "mix", value)
    if found == 0:
        raise InvalidPopulation(name, "mix", "is 0: nobody is of this kind", "Leave the population out.")
    return found


def _refuse_duplicates(segments: Sequence[Segment]) -> None:
    for name, count in Counter(segment.name for segment in segments).items():
        if count > 1:
            raise InvalidPopulation(name, "name", f"is given {count} times", "Give each population its own name.")


def _whole(given: Mapping[str, Any], name: str, default: int, least: int) -> int:
    value = given.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidPopulation("", name, f"{value!r} is no whole number from {least}")
    return value


def _time_unit(value: object) -> TimeUnit:
    if value not in DAYS_PER_UNIT:
        raise InvalidPopulation("", "time_unit", f"unknown unit {value!r}", f"Known: {', '.join(DAYS_PER_UNIT)}.")
    return value


def _shop(given: Mapping[str, Any]) -> Shop:
    found: dict[str, Any] = {
        name: share("", name, given[name]) for name in ("duplicate_share", "plan_changes") if name in given
    }
    if "start_delay_days" in given:
        found["start_delay_days"] = _not_below_zero("start_delay_days", given["start_delay_days"])
    if "prices" in given:
        if not isinstance(given["prices"], Mapping):
            raise InvalidPopulation("", "prices", f"{given['prices']!r} is no list of prices by plan")
        found["prices"] = {plan: _prices("", each) for plan, each in given["prices"].items()}
    return Shop(**found)


def _prices(name: str, given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise InvalidPopulation(name, "prices", f"{given!r} is no list of prices by name", "Write basic: 9.9.")
    return {key: _above_zero(name, f"prices.{key}", value) for key, value in given.items()}


def _yes(name: str, field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidPopulation(name, field, f"{value!r} is neither true nor false")
    return value


def _above_zero(name: str, field: str, value: object) -> float:
    if (found := number(name, field, value)) <= 0:
        raise InvalidPopulation(name, field, f"{found:g} is out of range", "Give a number above 0.")
    return found


def _not_below_zero(field: str, value: object) -> float:
    if (found := number("", field, value)) < 0:
        raise InvalidPopulation("", field, f"{found:g} is out of range", "Give a number from 0.")
    return found
