"""Says what is wrong with the settings in words: which setting, which variable, which value, and what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tomllib import TOMLDecodeError

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

ENV_PREFIX = "RETENTIONCAST_"
#: Variables with our prefix that are no settings: the stack marks its processes, an image knows its commit.
NO_SETTINGS = frozenset({"PART", "COMMIT"})
_SHOWN = 100


def setting_names(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """The dotted name of every setting, sections opened: `home`, `postgres.host`, `postgres.passwords.owner`, …"""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, f"{path}{name}.")
        else:
            yield path + name


def variable_of(setting: str) -> str:
    """The environment variable of a setting."""
    return ENV_PREFIX + setting.upper().replace(".", "__")


def unknown_variables(variables: Iterable[str], model: type[BaseModel]) -> list[str]:
    """A sentence for each variable that has our prefix but names no section or setting at its beginning.

    A wrong name below a right section is found by the model itself.
    """
    known = {name.upper() for name in model.model_fields} | NO_SETTINGS
    ours = (name for name in variables if name.upper().startswith(ENV_PREFIX))
    wrong = [name for name in ours if name.upper().removeprefix(ENV_PREFIX).split("__")[0] not in known]
    meant = [variable_of(name).removeprefix(ENV_PREFIX) for name in setting_names(model)]
    return [
        f"The variable {name} names no setting{_suggest(name.upper().removeprefix(ENV_PREFIX), meant, ENV_PREFIX)}"
        for name in sorted(wrong)
    ]


def describe_values(error: ValidationError, model: type[BaseModel]) -> str:
    """A sentence for each value that does not fit."""
    names = list(setting_names(model))
    return " ".join(_describe(problem["loc"], problem["input"], problem["type"], problem["msg"], names)
                    for problem in error.errors())  # fmt: skip


def describe_source(error: Exception, file: Path) -> str:
    """Why the file or a variable cannot be read at all."""
    if isinstance(error, SettingsError):
        section = str(error).partition('"')[2].partition('"')[0]
        return (
            f"The variable {variable_of(section)} is not a JSON object; a single setting of the section {section} "
            f"is written {variable_of(section)}__NAME."
        )
    if isinstance(error, OSError):
        return f"{file} cannot be read: {error.strerror or error}."
    if isinstance(error, TOMLDecodeError):
        return f"{file} is not TOML: {error}."
    return f"{file} is not UTF-8 text: {error}."


def _describe(loc: tuple[int | str, ...], value: object, kind: str, message: str, names: list[str]) -> str:
    name = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        message = f"there is no such setting{_suggest(name, names)}"
    else:
        message += "."
    return f"Setting {name} ({variable_of(name)}) = {_shown(name, value)}: {message}"


def _shown(name: str, value: object) -> str:
    """The value, unless it is or may hold a secret."""
    if "password" in name:
        return "(not shown)"
    return "{…}" if isinstance(value, dict) else repr(value)[:_SHOWN]


def _suggest(name: str, known: list[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {prefix}{close[0]}?" if close else "."
