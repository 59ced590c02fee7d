"""A Kafka Connect for tests: one connector, whose states are dealt from a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SLOT_LOST = (
    "io.debezium.DebeziumException: The connector is trying to read change stream starting at "
    "PostgresOffsetContext [sourceInfo=source_info[server='retentioncast']], but this is no longer available on "
    "the server. Reconfigure the connector to use a snapshot mode when needed.\n\tat io.debezium.X.y(X.java:165)\n"
)


@dataclass(slots=True)
class FakeConnect:
    """What the server holds and was asked; a test changes it directly."""

    url: str = ""
    config: dict[str, str] | None = None
    #: The task's states, one a look at the status; the last stays. RESTART starts the second list.
    states: list[str] = field(default_factory=lambda: ["RUNNING"])
    after_restart: list[str] = field(default_factory=lambda: ["RUNNING"])
    trace: str = ""
    #: Answers given before anything else: (code, message).
    refusals: list[tuple[int, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, what: str, body: Any) -> tuple[int, Any]:
        self.asked.append(f"{method} {what}".strip())
        if self.refusals:
            code, message = self.refusals.pop(0)
            return code, {"error_code": code, "message": message}
        if method == "PUT":
            self.config = body
            return 201, {"config": body}
        if self.config is None:
            return 404, {"error_code": 404, "message": "Connector not found"}
        if method == "POST":
            self.states = self.after_restart
            return 202, {}
        return 200, self._state(what)

    def _state(self, what: str) -> Any:
        if what == "config":
            return self.config
        if what == "tasks":
            return [{"id": {"task": 0}, "config": {**(self.config or {}), "task.class": "x"}}]
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        task = {"id": 0, "state": state, **({"trace": self.trace} if state == "FAILED" else {})}
        return {"connector": {"state": "RUNNING"}, "tasks": [task]}


@contextmanager
def fake_connect() -> Iterator[FakeConnect]:
    """A server on a free port of the loopback."""
    fake = FakeConnect()

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            what = self.path.removeprefix("/connectors/retentioncast").strip("/")
            code, answer = fake.answer(self.command, what, json.loads(body or b"null"))
            data = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = _respond  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
