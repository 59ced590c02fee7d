"""Finds SQL statements by name in files of `-- name: x` headings, so that no statement hides in a string."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_HEADING = re.compile(r"^-- name: *([a-z_0-9]+).*$", re.MULTILINE)


@cache
def load_sql(path: Path) -> dict[str, LiteralString]:
    """All statements of one file by name. The text in front of the first heading is a remark."""
    parts = _HEADING.split(path.read_text(encoding="utf-8"))
    return {name: cast("LiteralString", body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def sql(name: str, folder: Path | None = None) -> LiteralString:
    """The statement `file.name`: the file `file.sql` in the folder (default: this one), the heading `name`."""
    file, statement = name.split(".")
    return load_sql((folder or Path(__file__).parent) / f"{file}.sql")[statement]
