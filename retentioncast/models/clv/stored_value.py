"""A fitted hierarchical value as bytes: netCDF 3, content as JSON, draws as arrays, and a hash over both. No pickle."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from retentioncast.models.arrays import Floats
from retentioncast.models.stored import SCHEMA_VERSION, DamagedModel

_NEXT = "Fit the model again."
#: 64-bit offsets: draws of a thousand segments come to hundreds of megabytes.
_NETCDF_VERSION = 2


def write_bytes(model: str, content: Mapping[str, Any], arrays: Mapping[str, Floats]) -> bytes:
    """The stored form of a model of that name."""
    from scipy.io import netcdf_file

    text = json.dumps({"model": model, "schema_version": SCHEMA_VERSION, **content}, sort_keys=True)
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w", version=_NETCDF_VERSION)
    file.content, file.hash = text, _hash(text, arrays)
    for name, values in arrays.items():
        dimensions = [f"{name}_{axis}" for axis in range(values.ndim)]
        for dimension, size in zip(dimensions, values.shape, strict=True):
            file.createDimension(dimension, size)
        variable: Any = file.createVariable(name, "f8", tuple(dimensions))
        variable[:] = values
    file.flush()
    return buffer.getvalue()


def read_bytes(data: bytes, model: str) -> tuple[dict[str, Any], dict[str, Floats]]:
    """What `write_bytes` wrote of that model; DamagedModel for anything else."""
    from scipy.io import netcdf_file

    try:
        with netcdf_file(io.BytesIO(data), "r", mmap=False) as file:
            arrays = {name: np.array(each[:], dtype=np.float64) for name, each in file.variables.items()}
            text, stated = file.content.decode(), file.hash.decode()
        content: dict[str, Any] = json.loads(text)
    except (AttributeError, ValueError, TypeError, OSError, IndexError, KeyError, EOFError) as error:
        raise DamagedModel("this is no stored model: no netCDF with content and hash.", _NEXT) from error
    if stated != _hash(text, arrays):
        raise DamagedModel("the stored model does not match its hash: it was changed.", _NEXT)
    kind = (content.get("model"), content.get("schema_version"))
    if kind != (model, SCHEMA_VERSION):
        raise DamagedModel(f"this holds {kind[0]} of schema version {kind[1]}, not {model} of {SCHEMA_VERSION}.", _NEXT)
    return content, arrays


def _hash(text: str, arrays: Mapping[str, Floats]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(name.encode() + str(arrays[name].shape).encode())
        digest.update(np.ascontiguousarray(arrays[name], dtype="<f8").tobytes())
    return digest.hexdigest()
