"""The version of the saved state, and what to do when a saved state cannot be used."""

from __future__ import annotations

from typing import Any

from retentioncast.core.errors import RetentionCastError

SCHEMA_VERSION = 1

#: A JSON object: finite floats, integers, strings, booleans, null, lists and objects only.
Json = dict[str, Any]


class OnlineStateUnusable(RetentionCastError):
    """A saved online state has another version or other settings. Reset it or restore the settings."""


def refuse_unless(equal: bool, what: str, found: object, wanted: object) -> None:
    """Raise `OnlineStateUnusable` unless the saved value is the wanted one."""
    if not equal:
        raise OnlineStateUnusable(
            f"The saved online state has {what} {found!r}, this program needs {wanted!r}.",
            "Go back to the version or settings that saved it, or delete the partition's online state "
            "(model and customers) so that it is learned anew from the stream.",
        )
