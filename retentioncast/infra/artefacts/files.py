"""Files of the model store through fsspec: a folder, `gs://…` or `s3://…`, with the same four calls for each."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import fsspec
from fsspec.asyn import sync

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.artefacts.errors import StoreUnreachable

REMOTE = ("gs://", "gcs://", "s3://")


class Files(Protocol):
    """Where a store lies. Paths are relative to it, with slashes."""

    url: str

    def read(self, path: str) -> bytes:
        """The whole file. FileNotFoundError when there is none, StoreUnreachable when the store does not answer."""

    def create(self, path: str, data: bytes) -> None:
        """A new file, whole or not at all. FileExistsError when there is one with other content already."""

    def tree(self, folder: str) -> list[str]:
        """Every file below this folder, relative to the store, in order; empty when there is none."""

    def remove(self, path: str) -> None:
        """Remove one file; that there is none is fine."""


class LocalFiles:
    """A folder of this machine, made when the first file is created."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder)
        self._root = folder
        self._fs = fsspec.filesystem("file")

    def read(self, path: str) -> bytes:
        with _told(self.url, "read"):
            return bytes(self._fs.cat_file(str(self._root / path)))

    def create(self, path: str, data: bytes) -> None:
        """Written beside, flushed to the disk, then linked: the name appears with the whole content, or not."""
        target = self._root / path
        with _told(self.url, "write"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.chmod(file.name, 0o644)
                with contextlib.suppress(FileExistsError):
                    os.link(file.name, target)
                    return
        _require_same(self, path, data)

    def tree(self, folder: str) -> list[str]:
        with _told(self.url, "list"):
            found = self._fs.find(str(self._root / folder))
        paths = (Path(name).relative_to(self._root) for name in found)
        return sorted(path.as_posix() for path in paths if not path.name.startswith("."))

    def remove(self, path: str) -> None:
        with _told(self.url, "remove"):
            (self._root / path).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (self._root / path).parent.rmdir()


class BucketFiles:
    """A folder of a bucket. Each call ends within `timeout_s`, whatever the client's own patience."""

    def __init__(self, url: str, fs: Any, timeout_s: float) -> None:
        self.url = url
        self._fs = fs
        self._timeout_s = timeout_s
        self._root = url.partition("://")[2].strip("/")

    def read(self, path: str) -> bytes:
        with _told(self.url, "read"):
            return bytes(self._call("_cat_file", path))

    def create(self, path: str, data: bytes) -> None:
        """A conditional PUT: If-None-Match in S3, generation 0 in GCS. When it fails we look: it may have been us."""
        try:
            with _told(self.url, "write"):
                self._call("_pipe_file", path, data, mode="create")
        except (FileExistsError, StoreUnreachable) as error:
            if not self._is_there(path):
                raise
            _require_same(self, path, data, error)

    def tree(self, folder: str) -> list[str]:
        found: list[str] = []
        with _told(self.url, "list"), contextlib.suppress(FileNotFoundError):
            found = self._call("_find", folder)
        if not found:
            self._require_bucket()
        return sorted(name.removeprefix(f"{self._root}/") for name in found)

    def remove(self, path: str) -> None:
        with _told(self.url, "remove"), contextlib.suppress(FileNotFoundError):
            self._call("_rm_file", path)

    def _is_there(self, path: str) -> bool:
        with contextlib.suppress(StoreUnreachable), _told(self.url, "read"):
            return bool(self._call("_exists", path))
        return False

    def _require_bucket(self) -> None:
        bucket = self._root.partition("/")[0]
        with _told(self.url, "list"):
            there = sync(self._fs.loop, self._fs._exists, bucket, timeout=self._timeout_s)
        if not there:
            raise InvalidInput(f"There is no bucket {bucket}, or it may not be read ({self.url}).", "Make it first.")

    def _call(self, name: str, path: str, *arguments: object, **options: object) -> Any:
        whole = f"{self._root}/{path}"
        return sync(self._fs.loop, getattr(self._fs, name), whole, *arguments, timeout=self._timeout_s, **options)


def _require_same(files: Files, path: str, data: bytes, cause: Exception | None = None) -> None:
    """An earlier try of our own may have come through: the same content is no conflict."""
    if files.read(path) != data:
        raise FileExistsError(f"{path} is in {files.url} already, with other content") from cause


@contextlib.contextmanager
def _told(url: str, what: str) -> Iterator[None]:
    """What fsspec and the clouds' clients raise becomes one error that says what was being done."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, InvalidInput):
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StoreUnreachable(
            f"The model store {url} did not let us {what}: {reason}.",
            "Check its address and your rights there (docs/operations.md, 'The model store').",
        ) from error
