"""`python -m consumer`: keeps the analytics tables current until it is stopped."""

from __future__ import annotations

import gc
import logging
import signal
import sys

from consumer.bootstrap import SWITCH_S, make_loop
from retentioncast.core.errors import RetentionCastError
from retentioncast.infra.logs import set_up_logs
from retentioncast.infra.settings import load_settings

logger = logging.getLogger("consumer")


def main() -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop, 1 with one clear line otherwise."""
    try:
        settings = load_settings()
        set_up_logs(settings.log)
        loop = make_loop(settings)
        _calm_the_collector()
        sys.setswitchinterval(SWITCH_S)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.reader.stop())
        loop.reader.start()
        loop.run()
    except RetentionCastError as error:
        logger.error("%s", error, extra={"action": "stop"})
        return 1
    logger.info("Stopped.", extra={"action": "stop"})
    return 0


def _calm_the_collector() -> None:
    """Batches are tens of thousands of objects without cycles: looking through them again and again costs a fifth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


if __name__ == "__main__":
    sys.exit(main())
