"""Convergence as numbers and as pictures: what a person looks at before believing draws."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from retentioncast.models.clv.config import CLVConfig
from retentioncast.models.clv.diagnostics import Diagnostics, Traces, check_trace

if TYPE_CHECKING:
    from xarray import DataTree


class Picture(Protocol):
    """A file of a folder."""

    def write_bytes(self, data: bytes, /) -> int: ...


class Folder(Protocol):
    """Where pictures go: pathlib.Path, or another store's path that can do the same."""

    def __truediv__(self, name: str, /) -> Picture: ...


class ConvergenceDiagnostics:
    """Measures traces against a configuration's thresholds, and draws them."""

    def __init__(self, config: CLVConfig | None = None) -> None:
        self.config = config or CLVConfig()

    def check_diagnostics(self, trace: DataTree | Traces) -> Diagnostics:
        """ESS bulk and tail, R-hat, divergences, BFMI, tree depth, MCSE, and Pareto k: the worst of all parameters."""
        return check_trace(trace)

    def problems(self, trace: DataTree | Traces) -> tuple[str, ...]:
        """Which thresholds are missed, in words."""
        return check_trace(trace).problems(self.config)

    def plot_diagnostics(self, trace: DataTree | Traces, folder: Folder) -> list[str]:
        """Write for each trace NAME_trace.png (ArviZ: mu and tau, a line a chain) and NAME_chains.html (Plotly: the
        same to zoom into, and the energy where NUTS tells it); the names of the files."""
        written = []
        for name, tree in _named(trace):
            for file, data in ((f"{name}_trace.png", _by_arviz(tree)), (f"{name}_chains.html", _by_plotly(name, tree))):
                (folder / file).write_bytes(data)
                written.append(file)
        return written


def _named(trace: DataTree | Traces) -> Iterator[tuple[str, Any]]:
    if isinstance(trace, Mapping) and "posterior" not in trace:
        yield from trace.items()
    else:
        yield "trace", trace


def _by_arviz(tree: Any) -> bytes:
    import arviz_plots

    drawn = arviz_plots.plot_trace(tree, var_names=["mu", "tau"], backend="matplotlib")
    figure = drawn.viz["figure"].item()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, metadata={"Software": None})
    _close(figure)
    return buffer.getvalue()


def _close(figure: Any) -> None:
    from matplotlib import pyplot

    pyplot.close(figure)


def _by_plotly(name: str, tree: Any) -> bytes:
    from plotly.graph_objects import Figure, Scatter

    figure = Figure(layout={"title": f"{name}: draws by chain", "xaxis": {"title": "draw"}})
    for label, values in _lines(tree):
        for chain, draws in enumerate(values):
            shown = True if label.startswith("mu[0]") else "legendonly"
            figure.add_trace(Scatter(y=draws, mode="lines", name=f"{label}, chain {chain}", visible=shown))
    text: str = figure.to_html(include_plotlyjs="cdn")
    return text.encode()


def _lines(tree: Any) -> Iterator[tuple[str, Any]]:
    """Each coordinate of mu and tau, and the energy: (chains, draws)."""
    for variable in ("mu", "tau"):
        values = tree["posterior"][variable].to_numpy()
        for j in range(values.shape[2]):
            yield f"{variable}[{j}]", values[:, :, j]
    if "sample_stats" in tree.children and "energy" in tree["sample_stats"]:
        yield "energy", tree["sample_stats"]["energy"].to_numpy()
