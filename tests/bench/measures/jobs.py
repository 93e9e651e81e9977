"""Command jobs."""

import os
import subprocess
import sys

from amlocal.testing import local_workspace
from tests.bench.figures import Figure
from tests.bench.processes import run, timed

_HELLO = """
import sys, time
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Environment
from azure.identity import DefaultAzureCredential
client = MLClient(DefaultAzureCredential(), *sys.argv[1:4])
environment = client.environments.create_or_update(Environment(name="hello", image="ubuntu"))
for _ in range(5):
    started = time.perf_counter()
    job = command(command="echo hello", environment=f"hello:{environment.version}", compute="cpu-cluster")
    job = client.jobs.create_or_update(job)
    while job.status not in ("Completed", "Failed"):
        job = client.jobs.get(job.name)
    assert job.status == "Completed", job.status
    print(time.perf_counter() - started)
"""


def hello() -> list[Figure]:
    """A hello-world command job by azure-ai-ml, submitted until seen completed, less the bare command."""
    bare = min(timed(lambda: run("/bin/bash", "-c", "echo hello")) for _ in range(5))
    with local_workspace() as workspace:
        names = (workspace.subscription, workspace.resource_group, workspace.name)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _HELLO, *names],
            check=True, capture_output=True, text=True, env={**os.environ, **workspace.environ},
        )  # fmt: skip
    times = tuple(float(line) - bare for line in done.stdout.splitlines())
    return [Figure("hello-world job end to end, over the bare command", "s", times, 2)]
