"""The settings under test are the defaults, whatever the environment of the one who runs the tests says."""

from __future__ import annotations

import os

import pytest

from retentioncast.infra.settings import ENV_PREFIX


@pytest.fixture(autouse=True)
def _without_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(variable)
