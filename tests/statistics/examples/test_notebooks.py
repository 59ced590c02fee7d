"""The notebooks run from the first cell to the last, one after the other in one kernel, on smaller numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.markdown import ROOT

NOTEBOOKS = sorted((ROOT / "examples/notebooks").glob("*.ipynb"))
#: What the cell tagged `parameters` says here.
SMALL = "CUSTOMERS, DRAWS, TUNE = 400, 60, 40"


@pytest.fixture(scope="module")
def executed() -> dict[str, list[Any]]:
    """Each notebook's cells with their outputs; nothing that one defines reaches the next."""
    whole, parts = nbformat.v4.new_notebook(), {}
    for file in NOTEBOOKS:
        cells = nbformat.read(file, as_version=4).cells
        sizes = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        assert [cell.source.partition(" =")[0] for cell in sizes] == [SMALL.partition(" =")[0]], file
        sizes[0].source = SMALL
        parts[file.stem] = cells
        whole.cells += [nbformat.v4.new_code_cell("%reset -f"), *cells]
    folder = {"metadata": {"path": str(NOTEBOOKS[0].parent)}}
    NotebookClient(whole, timeout=300, resources=folder).execute()
    return parts


def test_every_example_has_its_notebook() -> None:
    assert [each.stem for each in NOTEBOOKS] == sorted(
        each.stem for each in (ROOT / "examples/populations").glob("*.yaml")
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(executed: dict[str, list[Any]], file: Path) -> None:
    outputs = [output for cell in executed[file.stem] for output in cell.get("outputs", [])]
    assert sum("image/png" in each.get("data", {}) for each in outputs) == 5  # data, prior, posterior, trace, forecast
    assert not any(each.output_type == "error" for each in outputs)
