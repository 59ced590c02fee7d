"""A run as a person or a machine wants to read it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from scorer.runs import Run

_MODELS = ("purchase", "spend", "subscription")


def as_json(run: Run) -> str:
    """The run's row as one JSON object; times in ISO 8601."""
    return json.dumps(asdict(run), default=_plain, allow_nan=False)


def as_text(run: Run) -> str:
    """A few lines: what came of it, on which data, with which parameters."""
    lines = [
        f"Run {run.run_id}: {run.status}. {run.reason}",
        f"  as of {run.as_of or 'no time'}, {run.customers or 0} customers, orders {run.data_from} to {run.data_to}",
    ]
    for name in _MODELS:
        if told := (run.parameters or {}).get(name):
            lines += [_of_model(member) for member in told.get("members", [told])]
    lines.append(f"  {run.duration_s:.1f} s, version {run.code_version}")
    return "\n".join(lines)


def _of_model(told: dict[str, Any]) -> str:
    """Its name, its share where it is one of several, and its parameters."""
    share = f" ({told['weight']:.0%})" if told.get("weight", 1) < 1 else ""
    values = ", ".join(f"{key} {value:.4g}" for key, value in told["parameters"].items())
    return f"  {told['model']}{share}: {values or 'no parameters'}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in JSON")
