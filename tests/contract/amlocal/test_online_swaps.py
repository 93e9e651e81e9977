"""Under load, the model of a serving deployment is swapped and a worker killed; and the server itself, in a rollout.

`AMLOCAL_SWAP_CONNECTIONS=64 AMLOCAL_SWAPS=10` makes it the full run, `--log-cli-level=INFO` shows the counts.
"""

import http.client
import json
import logging
import os
import signal
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.contract.amlocal.online_site import PATIENT, QUIET, open_site, row, write_model

pytestmark = [*QUIET, pytest.mark.xdist_group("online-swaps")]

CONNECTIONS = int(os.environ.get("AMLOCAL_SWAP_CONNECTIONS", "16"))
SWAPS = int(os.environ.get("AMLOCAL_SWAPS", "2"))
SETTINGS = {**PATIENT, "max_concurrent_requests_per_instance": CONNECTIONS}
_LOG = logging.getLogger(__name__)


@dataclass
class Tally:
    """What came back: how often each version answered, and every other answer in full."""

    answered: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


class Load:
    """Connections that ask one after another, each as fast as it is answered, for as long as the block lasts."""

    def __init__(self, uri: str, key: str, trust: ssl.SSLContext, connections: int = CONNECTIONS) -> None:
        self._address = urlsplit(uri)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._trust = trust
        self._over = threading.Event()
        self._tallies = [Tally() for _ in range(connections)]
        self._moved = threading.Condition()

    @contextmanager
    def running(self) -> Iterator["Load"]:
        callers = [threading.Thread(target=self._ask, args=(tally,), daemon=True) for tally in self._tallies]
        for caller in callers:
            caller.start()
        try:
            yield self
        finally:
            self._over.set()
            for caller in callers:
                caller.join()

    def wait_for(self, version: int, more: int) -> None:
        """Wait until a version has answered so many more requests."""
        goal = self.total().answered[version] + more
        with self._moved:
            assert self._moved.wait_for(lambda: self.total().answered[version] >= goal, timeout=120)

    def total(self) -> Tally:
        """Sum up all connections."""
        total = Tally()
        for tally in self._tallies:
            total.answered.update(tally.answered)
            total.failed += tally.failed
        return total

    def _ask(self, tally: Tally) -> None:
        body = json.dumps(row(1.0, 2.0))
        host, port = self._address.hostname or "", self._address.port
        connection = http.client.HTTPSConnection(host, port, context=self._trust)
        while not self._over.is_set():
            try:
                connection.request("POST", self._address.path, body, self._headers)
                answer = connection.getresponse()
                text = answer.read()
            except OSError as error:
                tally.failed.append(repr(error))
                connection.close()
                continue
            if answer.status == 200:
                tally.answered[json.loads(text)[0]] += 1
            else:
                tally.failed.append(f"{answer.status} {text.decode()}")
            with self._moved:
                self._moved.notify_all()
        connection.close()


def scoring_processes(root: Path, deployment: str) -> list[int]:
    """Return the processes that score for a deployment, the youngest last."""
    found = subprocess.run(["pgrep", "-f", f"{root}.*/{deployment}/"], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_swaps_drop_no_request_and_a_killed_worker_only_what_it_was_working_on(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_site(tmp_path_factory.mktemp("swaps")) as site:
        models = [
            site.register("swapped", write_model(site.folder / str(number), number)) for number in range(1, SWAPS + 2)
        ]
        site.endpoint("scored")
        site.deploy("blue", model=models[0], requests=SETTINGS)
        site.traffic(blue=100)
        uri = site.client.online_endpoints.get("scored").scoring_uri
        with Load(uri, site.key(), site.trust).running() as load:
            load.wait_for(1, 100)
            for version, model in enumerate(models[1:], start=2):
                if version == SWAPS // 2 + 2:  # in between
                    os.kill(scoring_processes(site.folder, "blue")[-1], signal.SIGKILL)
                site.deploy("blue", model=model, requests=SETTINGS)
                load.wait_for(version, 100)
        total = load.total()
    facts = (CONNECTIONS, SWAPS, total.answered, Counter(total.failed))
    _LOG.info("%d connections, %d swaps: %s answered, %s failed", *facts)
    assert set(total.answered) == set(range(1, SWAPS + 2))
    assert len(total.failed) <= CONNECTIONS  # what the killed process could hold at most
    assert all("The model's process ended while it worked on the request" in failure for failure in total.failed)


TIMEOUT_S = 5  # of requests: less than the model takes to load again
_SLOW_AGAIN = f"""
if pathlib.Path(__file__).with_name("slow").exists():
    time.sleep({TIMEOUT_S + 1})
"""


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def wait_for_another(root: Path, known: set[int]) -> int:
    """Return a scoring process that was not there before."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if fresh := set(scoring_processes(root, "blue")) - known:
            return min(fresh)
        time.sleep(0.02)
    raise AssertionError("no process was started in the place of the killed one")


def test_processes_killed_one_after_the_other_cost_the_requests_that_they_had_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    connections = 64
    settings = {"request_timeout_ms": 1000 * TIMEOUT_S, "max_concurrent_requests_per_instance": connections}
    with open_site(tmp_path_factory.mktemp("kills")) as site:
        source = write_model(site.folder / "source", 1)
        with (source / "code" / "rules.py").open("a") as rules:
            rules.write(_SLOW_AGAIN)
        model = site.register("killed", source)
        site.endpoint("scored")
        for instances in (1, 2):
            site.deploy("blue", model=model, requests=settings, instances=instances)
            site.traffic(blue=100)
            for file in site.folder.rglob("rules.py"):
                file.with_name("slow").touch()
            uri = site.client.online_endpoints.get("scored").scoring_uri
            with Load(uri, site.key(), site.trust, connections).running() as load:
                load.wait_for(1, 100)
                known = set(scoring_processes(site.folder, "blue"))
                for process in known:
                    kill(process)
                kill(wait_for_another(site.folder, known))  # while it loads the model
                load.wait_for(1, 100 + connections)
            total = load.total()
            _LOG.info("%d instances: %s answered, %s failed", instances, total.answered, Counter(total.failed))
            # Who lost a request with the first process may have sent the next to the second, before that was killed.
            assert len(total.failed) <= connections * instances
            assert all("The model's process ended while it worked on the request" in one for one in total.failed)


_SCRIPT = f"""
import os
import pathlib
import time


def init():
    if pathlib.Path(os.environ["SLOW"]).exists():
        time.sleep({TIMEOUT_S + 1})


def run(raw_data):
    return [1]
"""
_CONDA = {"dependencies": ["python", "pip", {"pip": ["azureml-inference-server-http"]}]}


def test_a_killed_worker_of_a_scripts_server_costs_the_request_that_it_had_and_no_others(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = {"request_timeout_ms": 1000 * TIMEOUT_S, "max_concurrent_requests_per_instance": CONNECTIONS}
    with open_site(tmp_path_factory.mktemp("workers")) as site:
        from azure.ai.ml.entities import CodeConfiguration, Environment  # noqa: PLC0415 - within the workspace

        code, conda, slow = site.folder / "code", site.folder / "conda.yaml", site.folder / "slow"
        code.mkdir()
        (code / "score.py").write_text(_SCRIPT)
        conda.write_text(json.dumps(_CONDA))
        site.endpoint("scored")
        site.deploy(
            "blue",
            code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
            environment=Environment(image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", conda_file=str(conda)),
            environment_variables={"SLOW": str(slow)},
            requests=settings,
        )
        site.traffic(blue=100)
        slow.touch()
        uri = site.client.online_endpoints.get("scored").scoring_uri
        with Load(uri, site.key(), site.trust).running() as load:
            load.wait_for(1, 100)
            kill(scoring_processes(site.folder, "blue")[-1])  # the youngest: the worker, not its server
            load.wait_for(1, 100 + CONNECTIONS)
        total = load.total()
    assert len(total.failed) <= 1  # a worker takes one at a time
    assert all("The script's process ended while it worked on the request" in failure for failure in total.failed)
