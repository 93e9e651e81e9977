"""Data on its way into the workspace."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amlocal.testing import local_workspace
from tests.bench.figures import Figure
from tests.bench.processes import timed

GIGABYTE = 10**9


@contextmanager
def _large_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.bin"
        block = os.urandom(2**20)
        with path.open("wb") as file:
            for number in range(GIGABYTE // len(block)):
                file.write(number.to_bytes(8, "big") + block[8:])  # no two blocks alike
        yield path


_UPLOAD = """
import sys, time
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Data
from azure.identity import DefaultAzureCredential
client = MLClient(DefaultAzureCredential(), *sys.argv[1:4])
client.data.create_or_update(Data(name="warm", path=__file__, type="uri_file"))
started = time.perf_counter()
client.data.create_or_update(Data(name="large", path=sys.argv[4], type="uri_file"))
print(time.perf_counter() - started)
"""


def upload() -> list[Figure]:
    """A data asset of 1 GB by azure-ai-ml, against copying the file, in turn."""
    ratios, times = [], []
    with _large_file() as path:
        for _ in range(3):
            copy = path.with_name("copy.bin")
            copied = timed(lambda copy=copy: shutil.copyfile(path, copy))  # type: ignore[misc]
            copy.unlink()
            with local_workspace() as workspace:
                script = path.with_name("upload.py")
                script.write_text(_UPLOAD)
                names = (workspace.subscription, workspace.resource_group, workspace.name)
                done = subprocess.run(
                    [sys.executable, str(script), *names, str(path)],
                    check=True, capture_output=True, text=True, env={**os.environ, **workspace.environ},
                )  # fmt: skip
                uploaded = float(done.stdout.splitlines()[-1])
            times.append(uploaded)
            ratios.append(uploaded / copied)
    return [
        Figure("upload of 1 GB by azure-ai-ml", "s", tuple(times)),
        Figure("the same, as a multiple of copying the file", "x", tuple(ratios), 2),
    ]
