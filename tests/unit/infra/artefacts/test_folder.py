"""The model store in a folder, and what needs no store at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from retentioncast.core.errors import InvalidSettings
from retentioncast.infra.artefacts.compare import compare
from retentioncast.infra.artefacts.draws import read_draws
from retentioncast.infra.artefacts.errors import BrokenVersion, StoreUnreachable
from retentioncast.infra.artefacts.files import Files, LocalFiles
from retentioncast.infra.artefacts.manifest import describe_files
from retentioncast.infra.artefacts.opening import open_files
from tests.model_store_behaviour import ModelStoreBehaviour, put, store_in


class TestFolder(ModelStoreBehaviour):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return open_files(str(tmp_path / "models"), timeout_s=5)


@pytest.mark.parametrize("name", ["model.pkl", "../x.json", "manifest.json", "A.json", "x.json.gz", "/etc/x.nc"])
def test_a_version_holds_json_and_netcdf_only(name: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        describe_files({name: b""})


def test_draws_that_are_no_netcdf_are_refused() -> None:
    with pytest.raises(BrokenVersion, match="no netCDF"):
        read_draws(b"\x80\x04\x95 a pickle")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreUnreachable, match="did not let us write"):
        LocalFiles(tmp_path / "models").create("versions/v/a.json", b"")


def test_another_kind_of_place_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"ftp:// is no place"):
        open_files("ftp://host/models", 1)


def test_two_versions_are_compared_by_value(tmp_path: Path) -> None:
    store = store_in(LocalFiles(tmp_path))
    one, two = (store.read(put(store, mark)) for mark in ("a", "b"))
    assert [(found.name, found.before, found.after) for found in compare(one, two)] == [("purchase.mark", "a", "b")]
    assert compare(one, one) == []
