"""A tracking server as Azure ML's is: it answers the run API of MLflow, and 404 to all else.

Only what a training run calls; it keeps what it is told, and the paths that it refused.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest


@dataclass
class Recorded:
    """One run, and how the server was talked to."""

    uri: str
    artifacts: Path
    run_id: str = field(default_factory=lambda: uuid4().hex)  # MLflow remembers where the artifacts of an id go
    runs_created: int = 0
    status: str = "RUNNING"
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        return {path.relative_to(self.artifacts).as_posix() for path in self.artifacts.rglob("*") if path.is_file()}

    def answer(self, call: str, body: dict[str, Any]) -> dict[str, Any] | None:
        calls: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "POST runs/create": self._create,
            "GET runs/get": lambda _: self._run(),
            "POST runs/update": self._update,
            "POST runs/log-batch": self._log_batch,
            "POST runs/set-tag": lambda _: {},
            "GET experiments/get": lambda _: {"experiment": {"experiment_id": "0", "name": "Default"}},
        }
        if call not in calls:
            self.refused.append(call)
            return None
        return calls[call](body)

    def _run(self) -> dict[str, Any]:
        info = {"run_id": self.run_id, "experiment_id": "0", "status": self.status, "lifecycle_stage": "active"}
        return {"run": {"info": info | {"artifact_uri": self.artifacts.as_uri()}, "data": {}}}

    def _create(self, _: dict[str, Any]) -> dict[str, Any]:
        self.runs_created += 1
        return self._run()

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        self.status = body.get("status", self.status)
        return {"run_info": self._run()["run"]["info"]}

    def _log_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        self.params |= {param["key"]: param["value"] for param in body.get("params", ())}
        self.metrics |= {metric["key"]: metric["value"] for metric in body.get("metrics", ())}
        return {}


@contextmanager
def tracking_to(artifacts: Path) -> Iterator[Recorded]:
    """Let MLflow track to such a server, which serves on a free port of loopback, until the block ends."""
    with _serve(artifacts) as recorded, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", recorded.uri)
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        yield recorded


@contextmanager
def _serve(artifacts: Path) -> Iterator[Recorded]:

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET", {})

        def do_POST(self) -> None:
            self._reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, verb: str, body: dict[str, Any]) -> None:
            path = self.path.split("?")[0].removeprefix("/api/2.0/mlflow/")
            answer = recorded.answer(f"{verb} {path}", body)
            unknown = {"error_code": "ENDPOINT_NOT_FOUND", "message": f"no endpoint {verb} {path}"}
            content = json.dumps(unknown if answer is None else answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded = Recorded(f"http://127.0.0.1:{server.server_port}", artifacts)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
