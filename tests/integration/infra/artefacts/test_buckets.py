"""The model store in buckets of real servers, and servers that do not answer."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest

from retentioncast.core.errors import InvalidInput
from retentioncast.infra.artefacts.errors import StoreUnreachable
from retentioncast.infra.artefacts.files import Files
from retentioncast.infra.artefacts.opening import open_files
from tests.integration.infra.artefacts.servers import BUCKET, gcs_server, s3_server
from tests.model_store_behaviour import ModelStoreBehaviour

_numbers = itertools.count(1)
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3") / "data") as variables:
        yield variables


@pytest.fixture(scope="module")
def gcs() -> Iterator[dict[str, str]]:
    with gcs_server() as variables:
        yield variables


class TestS3(ModelStoreBehaviour):
    @pytest.fixture
    def files(self, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Files:
        _set(monkeypatch, s3)
        return open_files(f"s3://{BUCKET}/store{next(_numbers)}", TIMEOUT_S)

    def test_a_bucket_that_is_not_there_is_named(self, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        _set(monkeypatch, s3)
        with pytest.raises(InvalidInput, match="no bucket nobody-made-this"):
            open_files("s3://nobody-made-this/models", TIMEOUT_S).tree("versions")

    def test_a_wrong_key_is_said(self, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        _set(monkeypatch, s3 | {"AWS_SECRET_ACCESS_KEY": "another"})
        with pytest.raises(StoreUnreachable, match="did not let us"):
            open_files(f"s3://{BUCKET}/models", TIMEOUT_S).create("versions/v/a.json", b"")


class TestGcs(ModelStoreBehaviour):
    @pytest.fixture
    def files(self, gcs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Files:
        _set(monkeypatch, gcs)
        return open_files(f"gs://{BUCKET}/store{next(_numbers)}", TIMEOUT_S)

    def test_a_bucket_that_is_not_there_is_named(self, gcs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        _set(monkeypatch, gcs)
        with pytest.raises(InvalidInput, match="no bucket nobody-made-this"):
            open_files("gs://nobody-made-this/models", TIMEOUT_S).tree("versions")


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("url", ["s3://bucket/models", "gs://bucket/models"])
def test_a_server_that_does_not_answer_is_one_clear_error_in_time(
    url: str, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, _leading_to(silent))
    with pytest.raises(StoreUnreachable, match=f"The model store {url} did not let us list"):
        open_files(url, timeout_s=0.5).tree("versions")


@pytest.mark.parametrize("url", ["s3://bucket/models", "gs://bucket/models"])
def test_no_server_at_all_is_one_clear_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, _leading_to("http://127.0.0.1:1"))
    with pytest.raises(StoreUnreachable, match="did not let us list"):
        open_files(url, timeout_s=1).tree("versions")


def _leading_to(url: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    return keys | {"AWS_ENDPOINT_URL_S3": url, "STORAGE_EMULATOR_HOST": url}


def _set(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
