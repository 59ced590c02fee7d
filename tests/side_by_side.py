"""Which tests may run beside which, where `./test.sh` runs two at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from xdist.scheduler import LoadFileScheduling

#: They share the stack of the session; another process of tests would have to start its own.
ON_THE_SHARED_STACK = ("tests/e2e/test_cdnow.py", "tests/e2e/test_watch.py", "tests/integration/infra/test_topics.py")


def make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """File by file, as they were collected: whole stacks first, which mostly wait; what is quick fills the end."""
    from xdist.scheduler import LoadFileScheduling

    class FileByFile(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "the shared stack" if file in ON_THE_SHARED_STACK else file

    config.option.loadscopereorder = False
    return FileByFile(config, log)
