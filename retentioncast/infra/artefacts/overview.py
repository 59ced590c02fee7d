"""The store at a glance: a row a version, the newest first, with what is wrong where one cannot be used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.artefacts.manifest import Manifest
from retentioncast.infra.artefacts.promotions import Promotions
from retentioncast.infra.artefacts.store import ModelStore


def overview(store: ModelStore, history: Promotions, limit: int) -> list[dict[str, Any]]:
    """The newest `limit` versions and the one in force: state (`in force`, `in force, pinned`, `broken: …`, empty)
    and what the manifest tells. Manifests are checked, files are not: `read` does that."""
    now = history.current()
    names = store.versions()
    shown = names[-limit:]
    if now and now.version in names and now.version not in shown:
        shown = [now.version, *shown]
    return [_row(store, name, _state(name, now.version, now.pinned) if now else "") for name in reversed(shown)]


def described(manifest: Manifest) -> dict[str, Any]:
    """All that a manifest says, flat."""
    told = asdict(manifest)
    return {**{name: value for name, value in told.items() if name != "origin"}, **told["origin"]}


def _row(store: ModelStore, name: str, state: str) -> dict[str, Any]:
    try:
        manifest = store.manifest(name)
    except InvalidInput as error:
        return {"version": name, "state": f"broken: {error.message}"}
    origin = manifest.origin
    return {
        "version": name,
        "state": state,
        "run_id": origin.run_id,
        "customers": origin.customers,
        "as_of": origin.as_of and f"{origin.as_of:%Y-%m-%d %H:%M}",
        "log_likelihood": origin.metrics.get("log_likelihood"),
        "bytes": manifest.size,
    }


def _state(name: str, in_force: str, pinned: bool) -> str:
    if name != in_force:
        return ""
    return "in force, pinned" if pinned else "in force"
