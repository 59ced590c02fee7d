"""Opens the store that a URL names. The clouds' clients are loaded only when they are asked for."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.artefacts.files import REMOTE, BucketFiles, Files, LocalFiles
from retentioncast.infra.settings import Settings

DEFAULT_FOLDER = "models"


def open_files(url: str, timeout_s: float) -> Files:
    """A folder's path, `gs://bucket/folder` or `s3://bucket/folder`.

    Who we are, and where a server that is not Amazon's or Google's own is, comes from the clouds' usual variables:
    AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_S3, GOOGLE_APPLICATION_CREDENTIALS, STORAGE_EMULATOR_HOST, … InvalidSettings
    for another kind of URL, or when the client is not installed.
    """
    if url.startswith(REMOTE):
        make = _s3 if url.startswith("s3://") else _gcs
        return BucketFiles(url.rstrip("/"), make(url, timeout_s), timeout_s)
    if "://" in url:
        kind = url.partition("://")[0]
        raise InvalidSettings(f"{kind}:// is no place for a model store.", "Use a folder, gs:// or s3://.")
    return LocalFiles(Path(url).expanduser().resolve())


def store_url(settings: Settings) -> str:
    """The store of the settings: `models.url`, else the folder `models` of the home."""
    return settings.models.url or str(settings.home / DEFAULT_FOLDER)


def _s3(url: str, timeout_s: float) -> Any:
    try:
        import s3fs
    except ImportError as error:
        raise _missing(url, "s3") from error
    patience = {"connect_timeout": timeout_s / 4, "read_timeout": timeout_s / 2, "retries": {"max_attempts": 2}}
    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False, config_kwargs=patience)


def _gcs(url: str, timeout_s: float) -> Any:
    try:
        # Not gcsfs.GCSFileSystem: that one first asks over gRPC whether the bucket is of another kind.
        from gcsfs.core import GCSFileSystem
    except ImportError as error:
        raise _missing(url, "gcs") from error
    # It logs a traceback for what we say in one line.
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)
    token = "anon" if os.environ.get("STORAGE_EMULATOR_HOST") else None
    return GCSFileSystem(token=token, skip_instance_cache=True, use_listings_cache=False, requests_timeout=timeout_s)


def _missing(url: str, extra: str) -> InvalidSettings:
    return InvalidSettings(
        f"The client for {url} is not installed.", f"pip install 'retentioncast[{extra}]' (or uv pip install …)."
    )
