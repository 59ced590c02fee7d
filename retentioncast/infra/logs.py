"""Sets up logging: a readable line, or one JSON object a line, with the structured fields either way."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from retentioncast.infra.settings import LogSettings

_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"at": _at(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | _fields(record), default=str)


class Readable(logging.Formatter):
    """Time, level, logger and the sentence."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_at(record)} {record.levelname:<7} {record.name}: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up_logs(settings: LogSettings) -> None:
    """Send all logs to stderr in the form of the settings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.json_lines else Readable())
    logging.basicConfig(level=settings.level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
