"""The server as a process: started, found, stopped, killed, started again."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from amlocal import launcher
from amlocal.launcher import RunningServer
from amlocal.settings import Settings

AMLOCAL = [sys.executable, "-m", "amlocal"]
DATA = {"properties": {"dataType": "uri_file", "dataUri": "https://example.org/a"}}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(root=tmp_path)
    yield settings
    for running in launcher.find_any(tmp_path):
        launcher.stop(running)


@pytest.fixture
def running(settings: Settings) -> RunningServer:
    return launcher.start(settings)


def ask(running: RunningServer, method: str, path: str, body: Any = None) -> requests.Response:
    """Send a request as a program under `amlocal exec` would, trusting the bundle alone."""
    environ = running.environ()
    with requests.Session() as session:
        session.trust_env = False
        session.verify = environ["REQUESTS_CA_BUNDLE"]
        token = session.get(
            environ["IDENTITY_ENDPOINT"],
            params={"resource": "any"},
            headers={"X-IDENTITY-HEADER": environ["IDENTITY_HEADER"]},
            timeout=30,
        ).json()["access_token"]
        url = f"{running.origin}{running.identity.arm_id}/{path}"
        return session.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*AMLOCAL, *arguments]
    environ = {**os.environ, "AMLOCAL_ROOT": str(settings.root)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)


# What azure-cli does before any command: it asks for the cloud with urllib, which knows SSL_CERT_FILE alone.
CLOUD = "import os, urllib.request as r; print(r.urlopen(os.environ['ARM_CLOUD_METADATA_URL']).read().decode())"


def test_a_program_without_requests_asks_under_exec(settings: Settings) -> None:
    done = run(settings, "exec", "--", sys.executable, "-c", CLOUD)
    assert (done.returncode, '"name":"amlocal"' in done.stdout.replace(" ", "")) == (0, True), done.stderr


def fails(done: subprocess.CompletedProcess[str], text: str) -> None:
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("amlocal: ")
    assert text in done.stderr


def test_a_server_keeps_what_it_acknowledged_and_its_port(settings: Settings, running: RunningServer) -> None:
    assert ask(running, "PUT", "data/n/versions/1", DATA).status_code == 201
    launcher.stop(running)
    again = launcher.start(settings)
    assert (again.origin, again.pid != running.pid) == (running.origin, True)
    assert ask(again, "GET", "data/n/versions/1").json()["properties"]["dataUri"] == "https://example.org/a"


def test_a_server_that_is_killed_keeps_what_it_acknowledged(settings: Settings, running: RunningServer) -> None:
    assert ask(running, "PUT", "data/n/versions/1", DATA).status_code == 201
    os.kill(running.pid, signal.SIGKILL)
    assert launcher._released(settings.folder, 20)
    assert launcher.find(settings.folder) is None
    assert ask(launcher.start(settings), "GET", "data/n/versions/1").status_code == 200


def test_a_server_that_was_stopped_leaves_nothing_to_find(settings: Settings, running: RunningServer) -> None:
    launcher.stop(running)
    assert not settings.folder.server.exists()
    assert launcher.find(settings.folder) is None
    with pytest.raises(ChildProcessError):  # nor a dead child to bury
        os.waitpid(running.pid, 0)


def test_two_who_start_at_the_same_moment_get_the_same_server(settings: Settings) -> None:
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: launcher.start(settings), range(3)))
    assert len({running.pid for running in started}) == 1


def test_a_second_server_on_the_folder_is_refused_in_one_line(settings: Settings, running: RunningServer) -> None:
    fails(run(settings, "up"), f"A server already runs on {settings.folder.root} (process {running.pid}")


@pytest.mark.parametrize("how", [[], ["--detach"]])
def test_a_port_in_use_is_reported_in_one_line(settings: Settings, how: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        fails(run(settings, "up", "--port", str(port), *how), f"Port {port} is in use.")


def test_a_damaged_folder_is_reported_in_one_line(settings: Settings, running: RunningServer) -> None:
    launcher.stop(running)
    settings.folder.database.write_bytes(b"damage" * 1000)
    fails(run(settings, "up", "--detach"), "workspace.db is damaged")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_in_the_foreground_ends_well(settings: Settings, number: signal.Signals) -> None:
    command = [*AMLOCAL, "up", "--root", str(settings.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert " is up at https://127.0.0.1:" in process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert not settings.folder.server.exists()


def test_a_program_is_led_to_the_workspace_and_its_exit_code_comes_back(settings: Settings) -> None:
    program = "import os, sys; print(os.environ['AZUREML_ARM_WORKSPACE_NAME']); sys.exit(7)"
    done = run(settings, "exec", "--", sys.executable, "-c", program)
    assert (done.returncode, done.stdout) == (7, "local\n")


def test_the_bytes_of_a_deleted_blob_are_freed_by_the_next_start(settings: Settings, running: RunningServer) -> None:
    reference = ask(running, "POST", "codes/n/versions/1/startPendingUpload", {}).json()["blobReferenceForConsumption"]
    blob, _, sas = reference["credential"]["sasUri"].partition("?")
    bundle = running.environ()["REQUESTS_CA_BUNDLE"]
    put = requests.put(
        f"{blob}/a?{sas}", data=b"content", headers={"x-ms-blob-type": "BlockBlob"}, verify=bundle, timeout=30
    )
    assert put.status_code == 201
    assert requests.delete(f"{blob}/a?{sas}", verify=bundle, timeout=30).status_code == 202
    assert list(settings.folder.chunks.glob("??/*"))
    launcher.stop(running)
    launcher.stop(launcher.start(settings))
    assert not list(settings.folder.chunks.glob("??/*"))


def test_only_tls_is_spoken_and_only_the_bundle_vouches_for_it(running: RunningServer) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{running.origin.replace('https', 'http')}/metadata", timeout=30)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{running.origin}/metadata", verify=True, timeout=30)


def test_status_and_env_are_for_programs_too(settings: Settings, running: RunningServer) -> None:
    (row,) = json.loads(run(settings, "status", "--json").stdout)
    assert row == {"workspace": "local", "up": True, "origin": running.origin, "lenient": False}
    environ = json.loads(run(settings, "env", "--format", "json").stdout)
    assert environ["ARM_CLOUD_METADATA_URL"] == f"{running.origin}/metadata"
