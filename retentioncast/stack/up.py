"""`retentioncast up`: chooses the kind of stack, starts it, and shows the first scores."""

from __future__ import annotations

from dataclasses import dataclass

from retentioncast.core.errors import InvalidInput, StackError
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.stack.bring_up import bring_up
from retentioncast.stack.compose import ComposeStack, engine_missing
from retentioncast.stack.first_scores import await_first_scores, show_addresses, show_report
from retentioncast.stack.native import NativeStack, prepare_home
from retentioncast.stack.paths import Paths
from retentioncast.stack.preflight import only_one
from retentioncast.stack.progress import Progress
from retentioncast.stack.settings_file import settings_of, update_values


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller of `up` asked for; None: as it was, or the default."""

    native: bool = False
    docker: bool = False
    demo: bool | None = None
    load: str | None = None
    services: bool = True

    @property
    def changes(self) -> dict[str, dict[str, object]]:
        """The settings that these wishes change for good."""
        changes: dict[str, dict[str, object]] = {}
        if self.demo is not None:
            changes["stack"] = {"demo": self.demo}
        if self.load is not None:
            changes["simulator"] = {"load": self.load}
        return changes


def run_up(wanted: Wanted, progress: Progress | None = None) -> None:
    """Start everything and report."""
    progress, settings = progress or Progress(), load_settings()
    kind = choose_kind(wanted, settings)
    with progress.step("Check the machine") as step:
        settings = _prepare(kind, settings, wanted, progress)
        step.result = f"A {kind} stack in {settings.home}"
    _start(kind, settings, wanted, progress)
    if wanted.services and settings.stack.demo:
        await_first_scores(settings, progress)
        show_report(settings, progress.console)
    else:
        show_addresses(settings, progress.console)


def choose_kind(wanted: Wanted, settings: Settings) -> str:
    """native or docker: as asked, else as this home was started before, else docker where an engine answers."""
    if wanted.native and wanted.docker:
        raise InvalidInput("--native and --docker exclude each other.", "Leave one of them out.")
    stored = "kind" in settings.stack.model_fields_set
    if stored and _other(wanted) == settings.stack.kind:
        raise InvalidInput(
            f"The stack in {settings.home} is a {settings.stack.kind} one.",
            "Run `retentioncast down`, then set RETENTIONCAST_HOME to another folder for the other kind.",
        )
    if wanted.docker and (missing := engine_missing()):
        raise StackError(f"Containers cannot be used: {missing}.", "Start the engine, or use --native.")
    if wanted.native or wanted.docker:
        return "docker" if wanted.docker else "native"
    return settings.stack.kind if stored or engine_missing() else "docker"


def _other(wanted: Wanted) -> str:
    return "docker" if wanted.native else "native" if wanted.docker else ""


def _prepare(kind: str, settings: Settings, wanted: Wanted, progress: Progress) -> Settings:
    if kind == "native":
        prepare_home(settings, progress)
    else:
        Paths(settings.home).make()
    changes = wanted.changes
    update_values(settings.home, changes | {"stack": {**changes.get("stack", {}), "kind": kind}})
    return settings_of(settings.home)


def _start(kind: str, settings: Settings, wanted: Wanted, progress: Progress) -> None:
    if kind == "docker":
        with progress.step("docker compose up") as step:
            ComposeStack().up()
            step.result = "All containers are healthy"
        return
    with only_one(Paths(settings.home)):
        bring_up(NativeStack(settings, progress), wanted.services)
