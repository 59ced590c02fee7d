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
            environment={"PYTHONUNBUFFERED": "1", **self.environment},
            directory=self.supervisor.paths.home,
            start_s=STEADY_S,
        )

    def not_ready(self) -> str:
        state = self.supervisor.state(self.name)
        return "" if state == "running" else f"{self.name} is {state}"


def own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Of an environment, what our settings read; the home is added by the supervisor."""
    return {name: value for name, value in environment.items() if name.startswith(ENV_PREFIX)}


def consumer_names(processes: int) -> list[str]:
    """consumer, consumer-2, consumer-3, ..."""
    return ["consumer", *(f"consumer-{number}" for number in range(2, processes + 1))]


def services(settings: Settings, supervisor: Supervisor, environment: Mapping[str, str]) -> list[Part]:
    """The services that these settings ask for, in order of start; the simulator is not among them."""
    own = own_variables(environment)
    consumers = [Service(name, "consumer", supervisor, own) for name in consumer_names(settings.consumer.processes)]
    return [*consumers, Service("scorer", "scorer", supervisor, own)]


def simulator(supervisor: Supervisor, environment: Mapping[str, str]) -> Service:
    """The live demo shop."""
    return Service("simulator", "simulator", supervisor, own_variables(environment))
