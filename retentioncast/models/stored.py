"""Fitted models are kept as JSON with a schema version and a hash, never as a pickle (which is someone else's code)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from retentioncast.core.errors import InvalidInput

SCHEMA_VERSION = 1


class NotFitted(InvalidInput):
    """The model holds no parameters yet. Call fit, or load it with from_json."""


class DamagedModel(InvalidInput, ValueError):
    """A stored model is of another kind or version, or does not match its hash. Fit it again."""


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of the content as canonical JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_kind(text: str) -> str:
    """The name of the model that is stored here, as it says itself; else DamagedModel."""
    try:
        return str(json.loads(text)["model"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DamagedModel("this is no stored model: it does not say which.", "Fit the model again.") from error


def read_content(text: str, model: str) -> dict[str, Any]:
    """Stored content of the named model, once kind, version and hash agree; else DamagedModel."""
    try:
        content: dict[str, Any] = json.loads(text)
        stated = content.pop("hash")
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise DamagedModel("this is no stored model: no JSON object with a hash.", "Fit the model again.") from error
    if stated != content_hash(content):
        raise DamagedModel("the stored model does not match its hash: it was changed.", "Fit the model again.")
    kind = (content.get("model"), content.get("schema_version"))
    if kind != (model, SCHEMA_VERSION):
        raise DamagedModel(
            f"this holds {kind[0]} of schema version {kind[1]}, not {model} of {SCHEMA_VERSION}.",
            "Fit the model again.",
        )
    return content
