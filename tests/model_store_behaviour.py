"""What a model store must do wherever it lies; a folder, an S3 server and a GCS server pass the same tests."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from retentioncast.core.clock import ManualClock
from retentioncast.core.errors import InvalidInput
from retentioncast.infra.artefacts.draws import read_draws, write_draws
from retentioncast.infra.artefacts.errors import BrokenVersion, NewerVersion, NoSuchVersion, PromotedMeanwhile
from retentioncast.infra.artefacts.files import Files
from retentioncast.infra.artefacts.manifest import Origin, sealed
from retentioncast.infra.artefacts.promotions import Promotions
from retentioncast.infra.artefacts.store import ModelStore

MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)
DRAWS = {"r": np.linspace(0.1, 0.9, 30), "alpha": np.arange(30.0)}
CONTENT = {"purchase.json": b'{"r": 0.25}', "spend.json": b'{"p": 6.1}', "draws.nc": write_draws(DRAWS)}
ORIGIN = Origin(7, MOMENT, MOMENT - timedelta(days=30), MOMENT, 2000, "0.1.0", "abc", {"numpy": "2"}, {"auc": 0.8})
#: A process that dies when it has written the first file of a version.
DIES = """
import os, sys
from retentioncast.core.clock import SystemClock
from retentioncast.infra.artefacts.manifest import Origin
from retentioncast.infra.artefacts.opening import open_files
from retentioncast.infra.artefacts.store import ModelStore
store = ModelStore(open_files(sys.argv[1], 20), SystemClock())
create = store.files.create
def create_and_die(path, data):
    create(path, data)
    os._exit(9)
store.files.create = create_and_die
store.put({"purchase.json": b"{}", "spend.json": b"{}"}, Origin())
"""


def store_in(files: Files) -> ModelStore:
    return ModelStore(files, ManualClock(MOMENT))


def put(store: ModelStore, mark: str = "x") -> str:
    """A version of its own, a second after the one before."""
    store.clock.sleep(1)
    return store.put(CONTENT | {"purchase.json": f'{{"mark": "{mark}"}}'.encode()}, ORIGIN).version


def replace_file(store: ModelStore, path: str, data: bytes) -> None:
    """What no code of ours does: a file of the store is another one."""
    store.files.remove(path)
    store.files.create(path, data)


class ModelStoreBehaviour:
    """Subclasses give the fixture `files`: an empty store."""

    @pytest.fixture
    def store(self, files: Files) -> ModelStore:
        return store_in(files)

    def test_an_empty_store_has_no_version_and_nothing_in_force(self, store: ModelStore) -> None:
        assert store.versions() == []
        assert Promotions(store).current() is None
        with pytest.raises(NoSuchVersion):
            store.find("newest")

    def test_what_was_put_comes_back_to_the_byte(self, store: ModelStore) -> None:
        manifest = store.put(CONTENT, ORIGIN)
        stored = store.read(manifest.version)
        assert stored.files == CONTENT
        assert stored.manifest == manifest
        assert stored.manifest.origin == ORIGIN
        np.testing.assert_array_equal(read_draws(stored.files["draws.nc"])["r"], DRAWS["r"])

    def test_versions_are_found_by_an_end_of_their_name(self, store: ModelStore) -> None:
        first, second = put(store, "1"), put(store, "2")
        assert store.versions() == [first, second]
        assert (store.find(first[-8:]), store.find("newest")) == (first, second)
        with pytest.raises(NoSuchVersion, match="2 versions begin or end"):
            store.find("2026")

    def test_a_process_that_dies_on_the_way_leaves_no_version(self, store: ModelStore) -> None:
        good = put(store)
        died = subprocess.run(
            [sys.executable, "-c", DIES, store.files.url], capture_output=True, text=True, check=False
        )
        assert died.returncode == 9, died.stderr
        assert len(store.files.tree("versions")) == len(CONTENT) + 2
        assert store.versions() == [good]

    def test_a_changed_byte_is_refused(self, store: ModelStore) -> None:
        version = put(store)
        replace_file(store, f"versions/{version}/spend.json", b'{"p": 6.2}')
        with pytest.raises(BrokenVersion, match=r"spend.json of version .* was changed"):
            store.read(version)

    def test_a_cut_file_is_refused(self, store: ModelStore) -> None:
        version = put(store)
        replace_file(store, f"versions/{version}/draws.nc", CONTENT["draws.nc"][:-8])
        with pytest.raises(BrokenVersion, match="bytes, not"):
            store.read(version)

    def test_a_missing_file_is_refused(self, store: ModelStore) -> None:
        version = put(store)
        store.files.remove(f"versions/{version}/spend.json")
        with pytest.raises(BrokenVersion, match=r"spend.json .* is missing"):
            store.read(version)

    def test_a_changed_manifest_is_refused(self, store: ModelStore) -> None:
        version = put(store)
        path = f"versions/{version}/manifest.json"
        replace_file(store, path, store.files.read(path).replace(b'"run_id": 7', b'"run_id": 8'))
        with pytest.raises(BrokenVersion, match="was changed"):
            store.manifest(version)

    def test_a_newer_schema_is_refused_as_such(self, store: ModelStore) -> None:
        version = put(store)
        replace_file(store, f"versions/{version}/manifest.json", sealed({"schema_version": 2, "version": version}))
        with pytest.raises(NewerVersion, match="schema version 2"):
            store.read(version)

    def test_a_version_that_cannot_be_read_is_not_promoted_and_the_last_one_stays(self, store: ModelStore) -> None:
        history, good, broken = Promotions(store), put(store, "good"), put(store, "broken")
        history.promote(good, "promoted", pinned=False)
        store.files.remove(f"versions/{broken}/spend.json")
        with pytest.raises(BrokenVersion):
            history.promote(broken, "promoted", pinned=False)
        now = history.current()
        assert now is not None and now.version == good

    def test_rolling_back_goes_one_further_each_time(self, store: ModelStore) -> None:
        history, names = Promotions(store), [put(store, str(i)) for i in range(3)]
        for name in names:
            history.promote(name, "published", pinned=False)
        assert history.before() == names[1]
        history.promote(history.before(), "rolled back", pinned=True)
        assert history.before() == names[0]
        history.promote(history.before(), "rolled back", pinned=True)
        assert [entry.action for entry in history.history()] == ["rolled back"] * 2 + ["published"] * 3
        with pytest.raises(InvalidInput, match="no earlier version"):
            history.before()

    def test_a_damaged_promotion_never_was(self, store: ModelStore) -> None:
        history, first, second = Promotions(store), put(store, "1"), put(store, "2")
        history.promote(first, "promoted", pinned=True)
        entry = history.promote(second, "promoted", pinned=True)
        path = f"promotions/{entry.number:08d}.json"
        replace_file(store, path, store.files.read(path)[:-20])
        now = history.current()
        assert now is not None and (now.version, now.number) == (first, 1)
        assert history.promote(second, "promoted", pinned=True).number == 3

    def test_of_those_who_promote_at_once_one_wins_and_the_others_are_told(self, store: ModelStore) -> None:
        history, names = Promotions(store), [put(store, str(i)) for i in range(4)]
        history.promote(names[0], "promoted", pinned=False)
        won, lost, together = [], [], threading.Barrier(len(names))

        def promote(name: str) -> None:
            together.wait()
            try:
                won.append(history.promote(name, "promoted", pinned=True, after=1).version)
            except PromotedMeanwhile as error:
                lost.append(error.message)

        threads = [threading.Thread(target=promote, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        now = history.current()
        assert now is not None and (won, now.number) == ([now.version], 2)
        assert len(lost) == 3 and all(f"Version {now.version} was promoted" in message for message in lost)

    def test_old_versions_are_forgotten_but_for_those_that_are_needed(self, store: ModelStore) -> None:
        names = [put(store, str(i)) for i in range(5)]
        assert store.forget(2, besides=[names[0]]) == names[1:3]
        assert store.versions() == [names[0], *names[3:]]
        assert len(store.files.tree("versions")) == 3 * (len(CONTENT) + 1)

    def test_a_file_is_never_overwritten(self, store: ModelStore) -> None:
        store.files.create("versions/v/a.json", b"1")
        store.files.create("versions/v/a.json", b"1")
        with pytest.raises(FileExistsError):
            store.files.create("versions/v/a.json", b"2")
        assert store.files.read("versions/v/a.json") == b"1"
