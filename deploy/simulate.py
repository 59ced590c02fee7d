"""The demo shop of docker-compose.yml: a past for an empty shop, then life. A shop with customers keeps them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NoReturn

from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.settings import Settings, load_settings
from retentioncast.stack.queries import shop_is_empty

SIMULATOR = [sys.executable, "-m", "simulator"]


def main() -> int:
    """Become the live simulator; not 0, with one clear line, when the past could not be written."""
    try:
        failed = _fill_shop(load_settings())
    except RetentionCastError as error:
        print(error, file=sys.stderr)
        return 1
    return failed or _live()


def _fill_shop(settings: Settings) -> int:
    return subprocess.run(_past(settings), check=False).returncode if shop_is_empty(settings) else 0


def _live() -> NoReturn:
    os.execv(sys.executable, SIMULATOR)


def _past(settings: Settings) -> list[str]:
    demo = settings.simulator
    size = ["--customers", str(demo.customers), "--history", demo.history, "--seed", str(demo.seed)]
    return [*SIMULATOR, *size, "--only-history"]


if __name__ == "__main__":
    sys.exit(main())
