"""The manifest of a version: what it holds to the byte, and where it comes from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from retentioncast.infra.artefacts.errors import BrokenVersion, NewerVersion

SCHEMA_VERSION = 1
#: What a version may hold; a pickle has no place.
FILE_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*\.(json|nc)$")
_NEXT = "It is not used. `retentioncast models list` names others; `models pull` may bring a whole copy."


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: SHA-256 of its bytes (hexadecimal), and how many they are."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where models come from: the run, the data's range in event time, the code and its packages, how well they fit."""

    run_id: int | None = None
    as_of: datetime | None = None
    data_from: datetime | None = None
    data_to: datetime | None = None
    customers: int | None = None
    code_version: str = ""
    git_commit: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version's manifest; `version` sorts by the time it was made."""

    version: str
    created_at: datetime
    files: Mapping[str, FileEntry]
    origin: Origin

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.bytes for entry in self.files.values())


def describe_files(files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """The entries of a manifest for these files. ValueError for a name that has no place in a version."""
    for name in files:
        if not FILE_NAME.fullmatch(name) or name == "manifest.json":
            raise ValueError(f"{name!r} has no place in a version: only NAME.json and NAME.nc do")
    return {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())}


def write_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON, with its schema version and its own hash."""
    return sealed({"schema_version": SCHEMA_VERSION, **asdict(manifest)})


def read_manifest(data: bytes, version: str) -> Manifest:
    """The manifest of this version. BrokenVersion when it is another's, was changed, or makes no sense; NewerVersion
    when only a newer RetentionCast can read it."""
    content = unsealed(data, f"the manifest of version {version}")
    if content.get("version") != version:
        raise BrokenVersion(f"The manifest under {version} is that of {content.get('version')}.", _NEXT)
    try:
        origin = {name: _moment(name, value) for name, value in content["origin"].items()}
        files = {name: FileEntry(**entry) for name, entry in content["files"].items()}
        return Manifest(version, datetime.fromisoformat(content["created_at"]), files, Origin(**origin))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenVersion(f"The manifest of version {version} lacks what it must hold: {error}.", _NEXT) from error


def require_file(manifest: Manifest, name: str, data: bytes) -> bytes:
    """The file's bytes, once they are what the manifest says; else BrokenVersion."""
    entry = manifest.files[name]
    if len(data) != entry.bytes:
        raise BrokenVersion(f"{name} of version {manifest.version} has {len(data)} bytes, not {entry.bytes}.", _NEXT)
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise BrokenVersion(f"{name} of version {manifest.version} was changed: its hash is another.", _NEXT)
    return data


def sealed(content: Mapping[str, Any]) -> bytes:
    """Content as JSON, with the hash of all the rest."""
    return json.dumps({**content, "hash": _hash(content)}, sort_keys=True, indent=1, default=_plain).encode()


def unsealed(data: bytes, what: str) -> dict[str, Any]:
    """What `sealed` wrote, if schema version and hash agree; else BrokenVersion or NewerVersion that names `what`."""
    try:
        content: dict[str, Any] = json.loads(data)
        stated, schema = content.pop("hash"), content["schema_version"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenVersion(
            f"{what} is no JSON object with a hash and a schema version.".capitalize(), _NEXT
        ) from error
    if isinstance(schema, int) and schema > SCHEMA_VERSION:
        raise NewerVersion(
            f"{what} has schema version {schema}; this RetentionCast reads up to {SCHEMA_VERSION}.".capitalize(),
            "Upgrade RetentionCast, or use an older version of the models.",
        )
    if stated != _hash(content) or schema != SCHEMA_VERSION:
        raise BrokenVersion(f"{what} was changed: its hash is another.".capitalize(), _NEXT)
    return content


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in JSON")


def _moment(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value is not None and name in ("as_of", "data_from", "data_to") else value
