"""The stack without containers: every part a process under one supervisor of the home."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from retentioncast.core.errors import StackError
from retentioncast.infra.settings import ENV_PREFIX, Settings
from retentioncast.stack.accounts import server_account
from retentioncast.stack.connect import Connect
from retentioncast.stack.first_start import refuse_taken_ports, write_first_settings
from retentioncast.stack.jars import Jars, cached_jars, fetch_jars
from retentioncast.stack.java import Java, find_java
from retentioncast.stack.kafka import Kafka
from retentioncast.stack.log_lines import follow_logs, last_lines
from retentioncast.stack.orphans import processes_of, stop_all, unsupervised
from retentioncast.stack.part import Part, PartStatus
from retentioncast.stack.paths import Paths
from retentioncast.stack.postgres import Postgres
from retentioncast.stack.preflight import only_one, refuse_full_disk
from retentioncast.stack.progress import Progress, Step
from retentioncast.stack.services import consumer_names, consumers, single
from retentioncast.stack.settings_file import settings_of
from retentioncast.stack.supervision import ALIVE, Supervisor
from retentioncast.stack.waiting import wait_until_empty

INFRASTRUCTURE = ("postgres", "kafka", "connect")
SHUTDOWN_S = 150


def prepare_home(settings: Settings, progress: Progress) -> Settings:
    """Check the machine, make the home, decide ports and passwords at the first start.

    Returns the settings as they hold from now on. StackError before anything is written if a chosen port is taken.
    """
    home = settings.home
    paths, supervisor = Paths(home), Supervisor(Paths(home))
    refuse_full_disk(home)
    if supervisor.pid() is None:
        stop_all(processes_of(home))
    alive = frozenset(part.name for part in supervisor.parts() if part.state in ALIVE)
    refuse_taken_ports(settings, alive)
    paths.make()
    if not settings.postgres.passwords.model_fields_set:
        write_first_settings(settings, home, progress.say)
    return settings_of(home)


@dataclass(frozen=True)
class NativeStack:
    """The parts of one home. The settings are those that `prepare_home` gave, or of a home that has been started."""

    settings: Settings
    progress: Progress
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @cached_property
    def paths(self) -> Paths:
        return Paths(self.settings.home)

    @cached_property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.paths)

    @cached_property
    def postgres(self) -> Postgres:
        return Postgres(self.settings, self.paths, server_account())

    @cached_property
    def simulator(self) -> Part:
        """The live demo shop."""
        return single("simulator", self.supervisor, self.environment)

    @cached_property
    def scorer(self) -> Part:
        """The scorer."""
        return single("scorer", self.supervisor, self.environment)

    def bring_jars(self) -> tuple[Java, Jars]:
        """Java and the jars, fetched if they are not there yet."""
        java, jars = find_java(), cached_jars(self.environment, self.paths.home)
        if not jars.complete:
            with self.progress.step("Fetch Kafka, Connect and Debezium with Maven") as step:
                fetch_jars(jars, java)
                step.result = f"Kafka, Connect and Debezium are in {jars.folder}"
        return java, jars

    def infrastructure(self) -> list[Part]:
        """Postgres, Kafka and Connect."""
        java, jars = self.bring_jars()
        if not self.postgres.data.is_relative_to(self.paths.home):
            account, data = self.postgres.account.name, self.postgres.data
            self.progress.say(
                f"    {account}, who runs Postgres, cannot enter {self.paths.home}: its data is in {data}."
            )
        kafka = Kafka(self.settings, self.paths, java, jars)
        return [self.postgres, kafka, Connect(self.settings, self.paths, java, jars)]

    def services(self) -> list[Part]:
        """Consumers and scorer."""
        return [*self.consumers(), self.scorer]

    def consumers(self) -> list[Part]:
        """The consumers."""
        return consumers(self.settings, self.supervisor, self.environment)

    def ensure(self, parts: Sequence[Part]) -> None:
        """Start the parts that do not run, all at once, then wait until each is ready."""
        self.supervisor.ensure()
        with self.progress.step(f"Start {', '.join(part.name for part in parts)}") as step:
            for part in parts:
                self.supervisor.apply(part.prepare())
                self.supervisor.start(part.name)
            for part in parts:
                self._await(part, step)
            step.result = f"{', '.join(part.name for part in parts)}: ready"

    def forget_surplus(self) -> None:
        """Take parts off the list that the settings do not ask for any more."""
        wanted = {part.name for part in self.services()} | {*INFRASTRUCTURE}
        wanted |= {self.simulator.name} if self.settings.stack.demo else set()
        for part in self.supervisor.parts():
            if part.name not in wanted:
                self.supervisor.forget(part.name)

    def down(self) -> None:
        """Stop every process of this home; StackError when one remains."""
        if not self.paths.run.exists():
            return
        with only_one(self.paths):
            self.supervisor.shutdown(SHUTDOWN_S)
            stop_all(processes_of(self.paths.home))
        if left := processes_of(self.paths.home):
            pids = ", ".join(f"{process.pid} ({process.name()})" for process in left)
            raise StackError(f"These processes did not end: {pids}.", "End them with kill -9 and the number.")

    def parts(self) -> list[PartStatus]:
        """Each part that the settings ask for, running or not."""
        found = {part.name: part for part in self.supervisor.parts() or unsupervised(self.paths.home)}
        expected = [*INFRASTRUCTURE, *consumer_names(self.settings.consumer.processes), "scorer"]
        expected += ["simulator"] if self.settings.stack.demo else []
        return [found.pop(name, PartStatus(name, "stopped")) for name in expected] + list(found.values())

    def start(self, name: str) -> None:
        self._require_supervisor()
        for part in self._named(name):
            self.supervisor.start(part)

    def stop(self, name: str) -> None:
        self._require_supervisor()
        for part in self._named(name):
            self.supervisor.stop(part)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def logs(self, name: str, follow: bool, lines: int) -> Iterator[str]:
        names = self._named(name) if name else [part.name for part in self.parts()]
        files = {part: self.paths.log(part) for part in names if self.paths.log(part).exists()}
        return follow_logs(files, lines, follow)

    @property
    def variables(self) -> dict[str, str]:
        """The environment for a process of ours that is to work with this home."""
        return {**self.environment, f"{ENV_PREFIX}HOME": str(self.paths.home)}

    def _named(self, name: str) -> list[str]:
        """The parts that a name means: `consumer` is every consumer."""
        known = [part.name for part in self.parts()]
        meant = [part for part in known if part == name or (name == "consumer" and part.startswith("consumer-"))]
        if not meant:
            raise StackError(f"The stack has no part {name!r}.", f"Its parts are: {', '.join(known)}.")
        return meant

    def _require_supervisor(self) -> None:
        if self.supervisor.pid() is None:
            raise StackError("The stack does not run.", "Start it with `retentioncast up`.")

    def _await(self, part: Part, step: Step) -> None:
        if left := wait_until_empty(part.not_ready, part.deadline_s, step.note):
            log = self.paths.log(part.name)
            tail = "\n".join(f"    {line}" for line in last_lines(log, 12)) or "    (it is empty)"
            raise StackError(
                f"{part.name} was not ready after {part.deadline_s:.0f} s: {left}.\n  The end of its log:\n{tail}",
                f"The whole log is {log}.",
            )
