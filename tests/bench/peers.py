"""Servers to compare with: the same model under Microsoft's inference server, and under MLflow's."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.figures import MeasureFailed

_ENTRY = Path(__file__).parents[1] / "contract" / "mlgates" / "azure_entry.py"
_PATIENCE_S = 120.0

# The command `azmlinfsrv` listens on every address of the machine.
_ON_LOOPBACK = """
from azureml_inference_server_http import amlserver
amlserver.DEFAULT_HOST = "127.0.0.1"
amlserver.run()
"""


@contextlib.contextmanager
def azure_server(model: Path) -> Iterator[str]:
    """Serve `model` by azureml-inference-server-http, with a script such as Azure ML generates; yield its URL."""
    port = _free_port()
    options = ("--entry_script", str(_ENTRY), "--model_dir", str(model), "--port", str(port))
    with _serving([sys.executable, "-W", "ignore", "-c", _ON_LOOPBACK, *options], port, "/"):
        yield f"http://127.0.0.1:{port}/score"


@contextlib.contextmanager
def mlflow_server(model: Path) -> Iterator[str]:
    """Serve `model` by `mlflow models serve`, with one worker, as it does by itself; yield its URL."""
    port = _free_port()
    command = (sys.executable, "-W", "ignore", "-m", "mlflow", "models", "serve", "--env-manager", "local")
    with _serving([*command, "--model-uri", str(model), "--port", str(port)], port, "/ping"):
        yield f"http://127.0.0.1:{port}/invocations"


@contextlib.contextmanager
def _serving(command: Sequence[str], port: int, ping: str) -> Iterator[None]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # MLflow starts uvicorn by its name
    environ = {**os.environ, "PATH": path}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
        try:
            if not _comes_up(process, port, ping):
                log.seek(0)
                raise MeasureFailed(
                    f"{' '.join(command)} does not serve: {log.read()[-2000:].decode(errors='replace')}"
                )
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself, and all that it started
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _comes_up(process: "subprocess.Popen[bytes]", port: int, ping: str) -> bool:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", ping)
            if connection.getresponse().status == 200:
                return True
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
