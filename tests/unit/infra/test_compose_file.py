"""docker-compose.yml agrees with the settings, and .env.example names all that can be changed in it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.stack.paths import CHECKOUT

COMPOSE = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
#: Variable -> default, as the compose file has them.
VARIABLES = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))


def _setting(variable: str) -> object:
    value: object = Settings()
    for name in variable.removeprefix(ENV_PREFIX).lower().split("__"):
        value = getattr(value, name)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def test_the_example_names_each_variable_with_its_default() -> None:
    assert dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)) == VARIABLES


def test_every_variable_has_a_default_so_that_no_env_file_is_needed() -> None:
    assert set(re.findall(r"\$\{([A-Z_]+)", COMPOSE)) == set(VARIABLES)


@pytest.mark.parametrize("variable", [name for name in VARIABLES if name.startswith(ENV_PREFIX)])
def test_a_default_is_the_one_of_the_settings(variable: str) -> None:
    value = _setting(variable)
    number = isinstance(value, int | float) and not isinstance(value, bool)

    assert (float(VARIABLES[variable]) if number else VARIABLES[variable]) == (value if number else _text(value))


def test_the_published_ports_are_those_of_the_settings() -> None:
    settings = Settings()

    assert int(VARIABLES["POSTGRES_PORT"]) == settings.postgres.port
    assert int(VARIABLES["KAFKA_PORT"]) == urlsplit(f"//{settings.kafka.bootstrap}").port
    assert int(VARIABLES["CONNECT_PORT"]) == urlsplit(settings.connect.url).port


def test_every_image_has_a_full_version() -> None:
    images = re.findall(r"^\s+image: (\S+)$", COMPOSE, re.MULTILINE)

    assert len(images) >= 5
    assert not [image for image in images if not re.search(r":v?\d+(\.\d+)+", image)]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
