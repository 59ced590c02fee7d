"""Draws of parameters as netCDF bytes and back. netCDF 3, which scipy writes and xarray and ArviZ read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retentioncast.infra.artefacts.errors import BrokenVersion

Floats = NDArray[np.float64]


def write_draws(draws: Mapping[str, Floats]) -> bytes:
    """Each variable (draws,), or (chains, draws), under its name; all of one shape."""
    from scipy.io import netcdf_file

    first = next(iter(draws.values()))
    names = ("chain", "draw")[2 - first.ndim :]
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w")
    for name, size in zip(names, first.shape, strict=True):
        file.createDimension(name, size)
    for name, values in draws.items():
        variable: Any = file.createVariable(name, "f8", names)
        variable[:] = values
    file.flush()
    return buffer.getvalue()


def read_draws(data: bytes) -> dict[str, Floats]:
    """What `write_draws` wrote; BrokenVersion when it is no netCDF."""
    from scipy.io import netcdf_file

    try:
        with netcdf_file(io.BytesIO(data), "r", mmap=False) as file:
            return {name: np.array(variable[:], dtype=np.float64) for name, variable in file.variables.items()}
    except (ValueError, TypeError, OSError, IndexError, KeyError) as error:
        raise BrokenVersion(f"The draws are no netCDF: {error}.", "Use another version.") from error
