"""Versions of fitted models: put whole or not at all, read only when every byte is as the manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from retentioncast.core.clock import Clock
from retentioncast.infra.artefacts.errors import BrokenVersion, NoSuchVersion
from retentioncast.infra.artefacts.files import Files
from retentioncast.infra.artefacts.manifest import (
    Manifest,
    Origin,
    describe_files,
    read_manifest,
    require_file,
    write_manifest,
)

VERSIONS = "versions"
MANIFEST = "manifest.json"
_LIST = "`retentioncast models list` names those that are there."


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as it was read and checked: its manifest and its files."""

    manifest: Manifest
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The versions in a folder or bucket; `Promotions` says which is in force."""

    files: Files
    clock: Clock

    def put(self, files: Mapping[str, bytes], origin: Origin) -> Manifest:
        """A new version of these files (NAME.json, NAME.nc). Until its last file, the manifest, is written, it does
        not exist; StoreUnreachable on the way leaves nothing that anybody would read."""
        entries = describe_files(files)
        now = self.clock.now().astimezone(UTC)
        mark = hashlib.sha256("".join(entry.sha256 for entry in entries.values()).encode()).hexdigest()[:8]
        version = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{mark}"
        return self.copy(Stored(Manifest(version, now, entries, origin), files))

    def copy(self, stored: Stored) -> Manifest:
        """Put a version that was read from another store, under its own name."""
        for name, data in stored.files.items():
            self.files.create(f"{VERSIONS}/{stored.manifest.version}/{name}", data)
        self.files.create(f"{VERSIONS}/{stored.manifest.version}/{MANIFEST}", write_manifest(stored.manifest))
        return stored.manifest

    def versions(self) -> list[str]:
        """The names of all versions that have a manifest, the oldest first."""
        paths = (path.split("/") for path in self.files.tree(VERSIONS))
        return [path[1] for path in paths if len(path) == 3 and path[2] == MANIFEST]

    def manifest(self, version: str) -> Manifest:
        """NoSuchVersion, BrokenVersion or NewerVersion when it cannot be used."""
        try:
            return read_manifest(self.files.read(f"{VERSIONS}/{version}/{MANIFEST}"), version)
        except FileNotFoundError as error:
            raise NoSuchVersion(f"There is no version {version} in {self.files.url}.", _LIST) from error

    def read(self, version: str) -> Stored:
        """The whole version, checked. NoSuchVersion, BrokenVersion or NewerVersion when it cannot be used."""
        manifest = self.manifest(version)
        return Stored(manifest, {name: self._file(manifest, name) for name in manifest.files})

    def find(self, name: str) -> str:
        """The version that is meant: its whole name, `newest`, or a beginning or end that only one version has."""
        there = self.versions()
        if name == "newest" and there:
            return there[-1]
        found = [version for version in there if name and (version.startswith(name) or version.endswith(name))]
        if len(found) != 1:
            said = f"{len(found)} versions begin or end with {name!r}" if found else f"There is no version {name!r}"
            raise NoSuchVersion(f"{said} in {self.files.url}.", _LIST)
        return found[0]

    def forget(self, keep: int, besides: Iterable[str]) -> list[str]:
        """Remove all versions but the newest `keep` and those `besides`; the manifests first, so that none is read
        that is half removed."""
        there, needed = self.versions(), set(besides)
        old = [version for version in there[: max(len(there) - keep, 0)] if version not in needed]
        for version in old:
            paths = self.files.tree(f"{VERSIONS}/{version}")
            for path in sorted(paths, key=lambda path: not path.endswith(MANIFEST)):
                self.files.remove(path)
        return old

    def _file(self, manifest: Manifest, name: str) -> bytes:
        try:
            return require_file(manifest, name, self.files.read(f"{VERSIONS}/{manifest.version}/{name}"))
        except FileNotFoundError as error:
            raise BrokenVersion(
                f"{name} of version {manifest.version} is missing in {self.files.url}.",
                "It is not used. `retentioncast models list` names others.",
            ) from error
