"""Importing the models stays cheap: a command that fits nothing must not pay for numba, scipy or lifelines."""

from __future__ import annotations

import subprocess
import sys

import pytest

import retentioncast.models


def test_importing_the_package_brings_in_no_library() -> None:
    heavy = "{'numba', 'scipy', 'pandas', 'numpy', 'lifelines'}"
    code = f"import sys, retentioncast.models; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_others_are_not() -> None:
    for name in retentioncast.models.__all__:
        public = getattr(retentioncast.models, name)
        assert name == "FAMILIES" or public.__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = retentioncast.models.Nothing
