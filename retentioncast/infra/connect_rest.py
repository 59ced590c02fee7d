"""Speaks to Kafka Connect over its REST interface, and turns what goes wrong into our errors."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from retentioncast.core.errors import Retry, StackError
from retentioncast.infra.settings import Settings

#: Connect lies beside us: a proxy of the environment is not asked.
_OPENER = build_opener(ProxyHandler({}))
_REBALANCING = 409


class ConnectRest:
    """One connector of one Connect cluster."""

    def __init__(self, settings: Settings, timeout_s: float = 30.0) -> None:
        self.name = settings.connect.connector
        self._url = settings.connect.url.rstrip("/")
        self._timeout_s = timeout_s

    def get(self, what: str = "") -> Any:
        """What Connect says of the connector (`config`, `status`, `tasks`, …); None when there is no such thing."""
        return self._call("GET", what)

    def put_config(self, config: dict[str, str]) -> None:
        """Create the connector or change its configuration; StackError when Connect refuses it."""
        self._call("PUT", "config", config)

    def restart_failed(self) -> None:
        """Restart the connector and those of its tasks that have failed."""
        self._call("POST", "restart?includeTasks=true&onlyFailed=true")

    def _call(self, method: str, what: str, body: object = None) -> Any:
        path = f"{self._url}/connectors/{quote(self.name, safe='')}/{what}".rstrip("/")
        data = None if body is None else json.dumps(body).encode()
        request = Request(path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _OPENER.open(request, timeout=self._timeout_s) as response:
                return json.loads(response.read() or b"null")
        except HTTPError as error:
            return self._refused(error)
        except (OSError, HTTPException, ValueError) as error:
            raise Retry(
                f"Kafka Connect at {self._url} does not answer: {getattr(error, 'reason', error)}.",
                "Check connect.url, see `retentioncast status`; start it with `retentioncast up`.",
            ) from error

    def _refused(self, error: HTTPError) -> None:
        with error:
            message = _message(error)
        if error.code == 404:
            return
        if error.code == _REBALANCING or error.code >= 500:
            raise Retry(
                f"Kafka Connect at {self._url} is busy: {message}.", "See `retentioncast logs connect`."
            ) from error
        raise StackError(
            f"Kafka Connect refuses connector {self.name} ({error.code}): {message}.",
            "Correct the settings or debezium/connector.json, then run `retentioncast connector` again.",
        ) from error


def _message(error: HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        text = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        text = text or str(error.reason)
    return " ".join(text.split("You can also find")[0].split()).rstrip(".")
