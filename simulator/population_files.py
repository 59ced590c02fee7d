"""Finds and reads a description of populations: a file of the reader's own, or the demo shop's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from retentioncast.core.errors import InvalidInput
from retentioncast.models.populations.specification import Specification, parse_specification

DEMO = Path(__file__).parent / "populations" / "demo.yaml"
#: What the shop's table allows (shop.subscriptions).
PLANS = frozenset({"basic", "pro", "enterprise"})


def read_population(file: Path) -> Specification:
    """The populations of a .yaml, .toml or .json file. Raises InvalidInput, InvalidPopulation."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"The population file {file} cannot be read: {error.strerror}.", "Give a .yaml, .toml or .json file."
        ) from error
    specification = parse_specification(text, file.suffix.lstrip("."))
    for plan in specification.shop.prices:
        if plan not in PLANS:
            raise InvalidInput(
                f"{file}: the shop sells no plan {plan!r}.", f"Give prices of {', '.join(sorted(PLANS))}."
            )
    return specification


@dataclass(frozen=True, slots=True)
class Chosen:
    """A population as JSON text (empty: the demo shop), and what its file says of size and seed."""

    text: str = ""
    pop_size: int | None = None
    random_seed: int | None = None


def chosen_population(option: Path | None, setting: str) -> Chosen:
    """The file of the option, else of the setting, else the demo shop. Size and seed count only from the option's."""
    if option is None:
        return Chosen(read_population(Path(setting)).text) if setting else Chosen()
    text = read_population(option).text
    said = json.loads(text)
    return Chosen(text, said.get("pop_size"), said.get("random_seed"))
