"""Our own processes as parts of the native stack: consumers, scorer, simulator."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.stack.part import Part, Program
from retentioncast.stack.supervision import Supervisor

#: How long a service must have run to count as up; one that cannot start ends sooner.
STEADY_S = 2
PRIORITIES = {"consumer": 40, "scorer": 50, "simulator": 60}


@dataclass(frozen=True, slots=True)
class Service:
    """One process of ours: `python -m <module>`."""

    name: str
    module: str
    supervisor: Supervisor
    #: The RETENTIONCAST_ variables of whoever started the stack.
    environment: Mapping[str, str]
    deadline_s: float = 60

    def prepare(self) -> Program:
        command = [sys.executable, "-m", self.module]
        return Program(
            self.name,
            command,
            priority=PRIORITIES[self.module],
            environment={"PYTHONUNBUFFERED": "1", **self._instance(), **self.environment},
            directory=self.supervisor.paths.home,
            start_s=STEADY_S,
        )

    def _instance(self) -> dict[str, str]:
        """A consumer that is restarted gets its partitions back at once, without a rebalance."""
        return {f"{ENV_PREFIX}CONSUMER__INSTANCE": self.name} if self.module == "consumer" else {}

    def not_ready(self) -> str:
        state = self.supervisor.state(self.name)
        return "" if state == "running" else f"{self.name} is {state}"


def own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what our settings read; the home is added by the supervisor."""
    return {name: value for name, value in environment.items() if name.startswith(ENV_PREFIX)}


def consumer_names(processes: int) -> list[str]:
    """consumer, consumer-2, consumer-3, ..."""
    return ["consumer", *(f"consumer-{number}" for number in range(2, processes + 1))]


def consumers(settings: Settings, supervisor: Supervisor, environment: Mapping[str, str]) -> list[Part]:
    """As many consumers as the settings ask for."""
    own = own_variables(environment)
    return [Service(name, "consumer", supervisor, own) for name in consumer_names(settings.consumer.processes)]


def single(name: str, supervisor: Supervisor, environment: Mapping[str, str]) -> Service:
    """A service that runs once: scorer or simulator."""
    return Service(name, name, supervisor, own_variables(environment))
