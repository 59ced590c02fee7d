"""The Kafka Connect worker of the native stack: debezium/connect.properties plus this home's addresses."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass

from retentioncast.infra.settings import Settings
from retentioncast.stack.jars import Jars
from retentioncast.stack.java import Java
from retentioncast.stack.kafka import java_command
from retentioncast.stack.part import Program
from retentioncast.stack.paths import CHECKOUT, Paths

WORKER = CHECKOUT / "debezium" / "connect.properties"


@dataclass(frozen=True, slots=True)
class Connect:
    """The worker that runs Debezium, as a part of the stack."""

    settings: Settings
    paths: Paths
    java: Java
    jars: Jars
    name: str = "connect"
    deadline_s: float = 180

    def prepare(self) -> Program:
        """Write the worker's properties."""
        properties = self.paths.connect / "connect.properties"
        own = {
            "bootstrap.servers": self.settings.kafka.bootstrap,
            "listeners": self.settings.connect.url,
            "rest.advertised.host.name": "127.0.0.1",
            "plugin.path": str(self.jars.plugins),
        }
        lines = "".join(f"{name}={value}\n" for name, value in own.items())
        properties.write_text(f"{WORKER.read_text(encoding='utf-8')}\n# This home's.\n{lines}", encoding="utf-8")
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        command = java_command(self.java, self.jars, self.settings.stack.connect_heap, main, str(properties))
        return Program(self.name, command, priority=30, stop_wait_s=30)

    def not_ready(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.settings.connect.url}/health", timeout=5):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            return f"Connect is starting (it says {error.code} to /health)"
        except (urllib.error.URLError, OSError) as error:
            return f"Connect does not answer yet: {error}"
