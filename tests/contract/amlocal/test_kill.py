"""The server is killed in the middle of everything, and nothing that it acknowledged is lost.

`AMLOCAL_KILL_ROUNDS=20` makes it twenty times, `--log-cli-level=INFO` shows each; a round goes on with the folder that
the last one left.
"""

import hashlib
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from amlocal.launcher import find, start
from amlocal.settings import Settings
from tests.contract.amlocal.plain import WAIT_S, Client, Server, eventually

ROUNDS = int(os.environ.get("AMLOCAL_KILL_ROUNDS", "3"))
AT_ONCE = 4  # jobs: two nodes of cpu-cluster, two serverless ones
STOPPED = "The workspace was stopped while the job ran"
ENVIRONMENT = "azureml:AzureML-minimal:1"

_LOG = logging.getLogger(__name__)


@dataclass
class Ledger:
    """What was sent, and what of it was acknowledged. Blobs are told by the hash of their content."""

    blobs: dict[str, str] = field(default_factory=dict)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    failed_by_kill: set[str] = field(default_factory=set)


class Work:
    """Threads that write for as long as there is a server; `acknowledged` counts what it took."""

    def __init__(self, client: Client, ledger: Ledger, folder: Path, round_: int) -> None:
        self._client, self._ledger, self._folder, self._round = client, ledger, folder, round_
        self._lock = threading.Condition()
        self.acknowledged = 0
        self.faults: list[BaseException] = []
        writers = (self._write_blobs, self._write_blobs, self._write_assets, self._submit_jobs)
        self._threads = [threading.Thread(target=self._until_the_end, args=pair) for pair in enumerate(writers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many writes were acknowledged."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.acknowledged >= count or self.faults, WAIT_S)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(WAIT_S)
        assert self.faults == []

    def _until_the_end(self, number: int, write: Callable[[str, random.Random], str]) -> None:
        chance, count = random.Random(f"{self._round}/{number}"), 0
        try:
            while True:
                key = write(f"r{self._round}t{number}n{count}", chance)
                with self._lock:
                    self._ledger.acknowledged.add(key)
                    self.acknowledged += 1
                    self._lock.notify_all()
                count += 1
        except httpx.TransportError:
            return  # the server is gone
        except BaseException as fault:  # whatever else it is: the test says so in the main thread
            with self._lock:
                self.faults.append(fault)
                self._lock.notify_all()
            raise

    def _write_blobs(self, name: str, chance: random.Random) -> str:
        content = chance.randbytes(chance.choice([1, 1000, 100_000, 3_000_000]))
        self._ledger.blobs[name] = hashlib.sha256(content).hexdigest()
        self._client.put_blob(name, content, chance.choice([1, 1, 3]))
        return name

    def _write_assets(self, name: str, chance: random.Random) -> str:
        kind, properties = chance.choice([
            ("data", {"dataType": "uri_file", "dataUri": f"https://example.org/{name}.csv"}),
            ("environments", {"image": f"example.org/{name}:1"}),
        ])  # fmt: skip
        path = f"{kind}/{name}/versions/1"
        self._ledger.assets[path] = properties | {"tags": {"round": str(self._round)}}
        self._client.arm("PUT", path, self._ledger.assets[path])
        return path

    def _submit_jobs(self, name: str, chance: random.Random) -> str:
        mark, go = self._folder / name, self._folder / f"go{self._round}"
        self._ledger.jobs[name] = {
            "jobType": "Command",
            "command": f"echo $$ >> {mark}; echo started; until [ -e {go} ]; do sleep 0.05; done; echo finished",
            "environmentId": ENVIRONMENT,
            "computeId": chance.choice(["cpu-cluster", None]),
        }
        self._client.arm("PUT", f"jobs/{name}", self._ledger.jobs[name])
        if len([job for job in self._ledger.jobs if job.startswith(f"r{self._round}")]) >= 2 * AT_ONCE:
            threading.Event().wait(0.2)  # enough jobs wait by now; more of them would only take their time
        return name


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(Settings(root=tmp_path / "workspaces"))
    yield server
    server.stop()


def has_process(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def has_begun(marks: Path, number: int) -> bool:
    """Return whether a job of the round runs."""
    return any(marks.glob(f"r{number}t*"))


def is_over(groups: list[int]) -> bool:
    """Return whether no process is left in any of the groups."""
    return not any(map(has_process, groups))


def test_what_was_acknowledged_survives_every_kill(server: Server, tmp_path: Path) -> None:
    ledger, marks = Ledger(), tmp_path / "marks"
    marks.mkdir()
    for number in range(ROUNDS):
        chance = random.Random(number)
        work = Work(server.client, ledger, marks, number)
        work.start()
        work.wait_for(chance.randrange(5, 60))
        if number % 4 != 1:
            eventually("a job that runs", partial(has_begun, marks, number))
        threading.Event().wait(chance.random() * 0.05)  # at any moment of what is under way
        ready_s = server.kill_and_start(work.join)
        begun = check_what_ran(server.client, ledger, marks, number)
        (marks / f"go{number}").touch()
        check_writes(server.client, ledger)
        check_jobs_end(server.client, ledger, marks, number)
        check_new_work(server.client, f"new{number}")
        facts = (number, work.acknowledged, begun, ready_s, len(ledger.acknowledged))
        _LOG.info("round %d: killed after %d writes, %d jobs running; up in %.2f s; %d writes intact", *facts)


def check_what_ran(client: Client, ledger: Ledger, marks: Path, number: int) -> int:
    """What ran when the server was killed has failed with the reason, and none of its processes lives; count it."""
    begun = [name for name in ledger.jobs if name.startswith(f"r{number}t") and (marks / name).exists()]
    killed = [name for name in begun if client.found(f"jobs/{name}")["status"] == "Failed"]
    for name in killed:
        groups = [int(pid) for pid in (marks / name).read_text().split()]
        eventually(f"the end of job {name}'s processes", partial(is_over, groups))
        details = client.history(f"runs/{name}/details")
        assert details["error"]["error"]["message"].startswith(STOPPED)
        log = client.text(details["logFiles"]["user_logs/std_log.txt"])
        assert STOPPED in log
        assert "finished" not in log
    assert len(killed) <= AT_ONCE
    ledger.failed_by_kill.update(killed)
    return len(killed)


def check_writes(client: Client, ledger: Ledger) -> None:
    """Everything acknowledged is there; what was not is there whole or not at all."""
    for name, digest in ledger.blobs.items():
        answer = client.blob("GET", name)
        if answer.status_code == 404:
            assert name not in ledger.acknowledged
        else:
            assert hashlib.sha256(answer.raise_for_status().content).hexdigest() == digest
    for path, properties in ledger.assets.items():
        found = client.found(path)
        assert found is not None or path not in ledger.acknowledged
        assert found is None or properties.items() <= found.items()
    for name, properties in ledger.jobs.items():
        found = client.found(f"jobs/{name}")
        assert found is not None or name not in ledger.acknowledged
        assert found is None or properties.items() <= found.items()


def check_jobs_end(client: Client, ledger: Ledger, marks: Path, number: int) -> None:
    """What waited runs, once; what the kill had ended never runs again."""
    mine = [name for name in ledger.jobs if name.startswith(f"r{number}t") and client.found(f"jobs/{name}")]
    for name in mine:
        status = eventually(f"the end of {name}", partial(ended, client, name))
        runs = len((marks / name).read_text().split()) if (marks / name).exists() else 0
        if status == "Completed":
            assert (name in ledger.failed_by_kill, runs) == (False, 1)
        else:
            message = client.history(f"runs/{name}")["error"]["error"]["message"]
            assert (status, message.startswith(STOPPED), runs <= 1) == ("Failed", True, True)


def ended(client: Client, name: str) -> str | None:
    status = str(client.found(f"jobs/{name}")["status"])
    return status if status in ("Completed", "Failed", "Canceled") else None


def check_new_work(client: Client, name: str) -> None:
    """The server takes work as if nothing had been."""
    client.put_blob(name, name.encode(), 1)
    assert client.blob("GET", name).content == name.encode()
    sent = {"jobType": "Command", "command": f"echo {name}", "environmentId": ENVIRONMENT}
    client.arm("PUT", f"jobs/{name}", sent)
    assert eventually(f"the end of {name}", partial(ended, client, name)) == "Completed"
    urls = client.history(f"runs/{name}/details")["logFiles"]
    assert name in client.text(urls["user_logs/std_log.txt"]).splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="where a process stands is read from Linux's /proc")
def test_nothing_runs_on_when_the_server_was_killed_for_good(server: Server, tmp_path: Path) -> None:
    sent = {"command": "setsid sleep 600 & sleep 600", "jobType": "Command", "environmentId": ENVIRONMENT}
    server.client.arm("PUT", "jobs/job", sent)
    eventually("the job's start", lambda: server.client.found("jobs/job")["status"] == "Running")
    below = tmp_path / "workspaces"
    assert processes_in(below)
    os.kill(server.running.pid, signal.SIGKILL)
    eventually("the end of the server", lambda: find(server.running.folder) is None)
    eventually("the end of all that stood in the workspace's folder", lambda: not processes_in(below))
    server.running = start(server._settings)


def processes_in(folder: Path) -> list[str]:
    """Return the processes whose current folder is below `folder`."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink().is_relative_to(folder):
                found.append(link.parent.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended, or is none of ours
    return found
