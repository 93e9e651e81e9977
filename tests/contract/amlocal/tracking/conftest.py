"""A stand-in for MLflow's process that is up at once, beside the blob store and the calls that the unit tests have."""

import sys

import pytest

from tests.unit.amlocal.tracking.conftest import blobs, make_call

__all__ = ["blobs", "make_call", "stand_in"]

# Answers every request with what it got, as JSON; a target that holds `status=N` with that status, one that holds
# `plain` with a body that is no JSON. Each request is also a line of `seen` in the folder that it runs in.
_STAND_IN = r"""
import json, re, sys, threading, os
from urllib.parse import unquote
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open("seen", "a") as seen:
            seen.write(f"{self.command} {self.path} {body}\n")
        status = re.search(r"status=(\d+)", unquote(self.path))
        got = {"method": self.command, "target": self.path, "headers": dict(self.headers), "body": body,
               "message": "MLflow's words", "run": {"info": {"run_id": "r", "artifact_uri": "mlflow-artifacts:/1/r"}}}
        content = b"no json" if "plain" in self.path else json.dumps(got).encode()
        self.send_response(int(status[1]) if status else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer
    def log_message(self, *words):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
"""


@pytest.fixture
def stand_in() -> tuple[str, ...]:
    """The command of a process that behaves as MLflow's does towards its parent."""
    return (sys.executable, "-S", "-c", _STAND_IN)
