"""The Kafka of the native stack: one KRaft node from the pinned jars, its log in the home."""

from __future__ import annotations

import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from retentioncast.core.errors import StackError
from retentioncast.infra.settings import Settings
from retentioncast.stack.jars import Jars
from retentioncast.stack.java import Java
from retentioncast.stack.part import Program
from retentioncast.stack.paths import TEMPLATES, Paths, render
from retentioncast.stack.ports import free_ports, is_free

#: Small pauses, as in Kafka's own start script; the shared archive of JDK classes saves half a second a start.
JVM_FLAGS = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Xshare:auto", "-Djava.awt.headless=true")


def java_command(java: Java, jars: Jars, heap: str, main: str, *arguments: str) -> Sequence[str]:
    """The command that runs a class of the pinned jars with so much heap."""
    logging = f"-Dlog4j2.configurationFile={TEMPLATES / 'log4j2.properties'}"
    return [str(java.command), f"-Xmx{heap}", *JVM_FLAGS, logging, "-cp", jars.classpath, main, *arguments]


def new_cluster_id() -> str:
    """A random one as Kafka writes them. One in 64 would begin with a dash, which its tools take for an option."""
    while (name := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return name


@dataclass(frozen=True, slots=True)
class Kafka:
    """The broker as a part of the stack."""

    settings: Settings
    paths: Paths
    java: Java
    jars: Jars
    name: str = "kafka"
    deadline_s: float = 180

    def prepare(self) -> Program:
        """Write the properties; format the log folder once."""
        properties = self.paths.kafka / "server.properties"
        port = self.settings.kafka.bootstrap.rpartition(":")[2]
        text = render(
            "server.properties", port=port, controller_port=self._controller_port(), data=self.paths.kafka / "data"
        )
        properties.write_text(text, encoding="utf-8")
        if not (self.paths.kafka / "data" / "meta.properties").exists():
            self._format(properties)
        heap = self.settings.stack.kafka_heap
        command = java_command(self.java, self.jars, heap, "kafka.Kafka", str(properties))
        return Program(self.name, command, priority=20, stop_wait_s=30)

    def not_ready(self) -> str:
        # librdkafka writes of each refused connection to stderr; here that is the expected answer.
        client = AdminClient({"bootstrap.servers": self.settings.kafka.bootstrap, "log_level": 0})
        try:
            found = client.list_topics(timeout=2)
        except KafkaException:
            return "Kafka does not answer yet"
        return "" if found.brokers else "Kafka has no broker yet"

    def _controller_port(self) -> int:
        """The controller's port, chosen at the first start; another one when somebody else has it by now."""
        file = self.paths.kafka / "controller_port"
        if file.exists() and (is_free(port := int(file.read_text())) or not self.not_ready()):
            return port
        with free_ports(1) as [port]:
            file.write_text(str(port))
        return port

    def _format(self, properties: Path) -> None:
        arguments = ["format", "--cluster-id", new_cluster_id(), "--config", str(properties), "--ignore-formatted"]
        command = java_command(self.java, self.jars, "256m", "kafka.tools.StorageTool", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise StackError(
                f"Kafka's log folder could not be formatted: {(done.stderr or done.stdout).strip()[-600:]}",
                f"Check that {self.paths.kafka} can be written and that the disk has room.",
            )
