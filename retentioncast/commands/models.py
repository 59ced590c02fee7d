"""models: the versions of fitted models, which of them is in force, and how to go back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from retentioncast.infra.artefacts.promotions import Promotions
    from retentioncast.infra.artefacts.store import ModelStore

Version = Annotated[str, typer.Argument(help="A version's name, a beginning or end of it, `newest` or `promoted`.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for machines.")]
Where = Annotated[str, typer.Option("--store", help="Another store: a folder, gs:// or s3://.")]
Note = Annotated[str, typer.Option(help="Why; it is kept in the history.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Versions of fitted models: look, compare, copy, put in force, go back.", no_args_is_help=True
    )
    for command in (show, push, pull, promote, rollback, diff):
        group.command()(command)
    group.command("list")(list_versions)
    app.add_typer(group, name="models")


def list_versions(
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = 20,
    store: Where = "",
    as_json: AsJson = False,
) -> None:
    """List the versions, the newest first, and say which one is in force."""
    from retentioncast.infra.artefacts.overview import overview

    models, history = _open(store)
    rows = overview(models, history, limit)
    if as_json:
        _print_json({"store": models.files.url, "versions": rows})
        return
    columns = ("version", "state", "customers", "as_of", "log_likelihood", "bytes")
    _table(models.files.url, columns, [[row.get(name) for name in columns] for row in rows])


def show(version: Version = "promoted", store: Where = "", as_json: AsJson = False) -> None:
    """Show one version: where it comes from, its files, its parameters."""
    from retentioncast.infra.artefacts.compare import parameters
    from retentioncast.infra.artefacts.overview import described

    models, history = _open(store)
    stored = models.read(_find(models, history, version))
    told = described(stored.manifest)
    if as_json:
        _print_json({**told, "parameters": parameters(stored)})
        return
    lines = [(name, value) for name, value in told.items() if name != "files"]
    lines += [
        (f"file {name}", f"{entry['bytes']} bytes, {entry['sha256'][:12]}") for name, entry in told["files"].items()
    ]
    _table("", ("", ""), [*lines, *parameters(stored).items()])


def push(
    version: Version = "promoted",
    to: Annotated[str, typer.Option(help="A folder, gs:// or s3://; else `models.remote`.")] = "",
) -> None:
    """Copy a version from the store to the remote one."""
    _copy(version, "", _remote(to, "--to"))


def pull(
    version: Version = "promoted",
    source: Annotated[str, typer.Option("--from", help="A folder, gs:// or s3://; else `models.remote`.")] = "",
) -> None:
    """Copy a version from the remote store into this one, once every byte of it has been checked."""
    pulled = _copy(version, _remote(source, "--from"), "")
    typer.echo(f"It is not in force; `retentioncast models promote {pulled}` puts it there.")


def promote(
    version: Annotated[
        str, typer.Argument(help="A version; without one, the one in force (with --refit).")
    ] = "promoted",
    pin: Annotated[
        bool, typer.Option("--pin/--refit", help="Score with it as it is, or go on fitting from it.")
    ] = True,
    note: Note = "",
    store: Where = "",
    as_json: AsJson = False,
) -> None:
    """Put a version in force: the scorer scores with its parameters at once, until told otherwise (--refit)."""
    models, history = _open(store)
    after = history.number()
    chosen = _find(models, history, version)
    _tell_promotion(history.promote(chosen, "promoted" if pin else "released", pin, note, after), as_json)


def rollback(note: Note = "", store: Where = "", as_json: AsJson = False) -> None:
    """Put the version in force that was so before this one; the scorer scores with it until told otherwise."""
    _, history = _open(store)
    after = history.number()
    _tell_promotion(history.promote(history.before(), "rolled back", True, note, after), as_json)


def diff(
    before: Version,
    after: Version = "promoted",
    store: Where = "",
    as_json: AsJson = False,
) -> None:
    """Compare two versions: parameters, metrics, data, code and packages."""
    from retentioncast.infra.artefacts.compare import compare

    models, history = _open(store)
    left, right = (models.read(_find(models, history, name)) for name in (before, after))
    found = compare(left, right)
    names = (left.manifest.version, right.manifest.version)
    if as_json:
        lines = [{"name": one.name, "before": one.before, "after": one.after, "change": one.change} for one in found]
        _print_json({"before": names[0], "after": names[1], "differences": lines})
    else:
        rows = [
            [one.name, one.before, one.after, f"{one.change:+.2%}" if one.change is not None else ""] for one in found
        ]
        _table("" if rows else "They do not differ.", ("", *names, "change"), rows)


def _open(url: str) -> tuple[ModelStore, Promotions]:
    from retentioncast.core.clock import SystemClock
    from retentioncast.infra.artefacts.opening import open_files, store_url
    from retentioncast.infra.artefacts.promotions import Promotions
    from retentioncast.infra.artefacts.store import ModelStore
    from retentioncast.infra.settings import load_settings

    settings = load_settings()
    store = ModelStore(open_files(url or store_url(settings), settings.models.timeout_s), SystemClock())
    return store, Promotions(store)


def _find(store: ModelStore, history: Promotions, name: str) -> str:
    from retentioncast.infra.artefacts.errors import NoSuchVersion

    if name != "promoted":
        return store.find(name)
    if now := history.current():
        return now.version
    raise NoSuchVersion(f"No version is promoted in {store.files.url}.", "The scorer promotes what it publishes.")


def _remote(asked: str, option: str) -> str:
    from retentioncast.core.errors import InvalidInput
    from retentioncast.infra.settings import load_settings

    if remote := asked or load_settings().models.remote:
        return remote
    raise InvalidInput("No remote store is set.", f"Give {option} URL, or set RETENTIONCAST_MODELS__REMOTE.")


def _copy(version: str, source: str, target: str) -> str:
    models, history = _open(source)
    stored = models.read(_find(models, history, version))
    there, _ = _open(target)
    manifest = there.copy(stored)
    typer.echo(f"{manifest.version} is in {there.files.url} ({len(manifest.files)} files, {manifest.size:,} bytes).")
    return manifest.version


def _tell_promotion(entry: Any, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        _print_json(asdict(entry))
        return
    typer.echo(f"{entry.version} is in force ({entry.action}, number {entry.number}).")
    if entry.pinned:
        typer.echo("The scorer scores with it until `retentioncast models promote --refit`.")


def _print_json(content: Any) -> None:
    from datetime import datetime

    def plain(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    typer.echo(json.dumps(content, default=plain, indent=2))


def _table(title: str, columns: tuple[str, ...], rows: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, show_header=any(columns))
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(inner)}" for name, inner in value.items()) or "-"
    return "-" if value is None or value == "" else str(value)
