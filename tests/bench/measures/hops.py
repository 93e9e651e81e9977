"""How many files somebody opens who follows a path through the code, by traces of three of them."""

import contextlib
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from tests.bench import hops_trace
from tests.bench.figures import Figure, MeasureFailed

_RELEASE = "mlgates release to the SDK call"
_CANARY = "canary:\n  seconds: {local: 0}\nlimits: {max_median_ms: 500, max_difference: 0.2, requests: 2}\n"


def hops() -> list[Figure]:
    """Files entered on each path; `python tests/bench/hops_trace.py` prints which they are."""
    served = _served()
    score = served["POST score"].keys() | served["POST score, scoring process"].keys()
    released, stack = _released()
    return [
        Figure(_RELEASE, "files", (len(released),)),
        Figure(f"{_RELEASE}: frames on the stack", "calls", (len(stack),)),
        Figure(f"{_RELEASE}: files on the stack", "files", (len(set(stack)),)),
        Figure("POST score, socket to predict", "files", (len(score),)),
        Figure("PUT job, socket to process", "files", (len(served["PUT job"]),)),
    ]


def _served() -> dict[str, dict[str, int]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", hops_trace.__file__], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise MeasureFailed(f"the traced server ended with code {done.returncode}: {done.stderr[-1500:]}")
    found: dict[str, dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _released() -> tuple[dict[str, int], list[str]]:
    """Return the calls by file, and the files of the frames that are open when traffic is moved to a second version.

    The workspace is the one in memory of the unit tests.
    """
    found: dict[str, int] = {}
    stack: list[str] = []

    def watch(trace: hops_trace.Trace, frame: FrameType) -> None:
        if frame.f_code.co_name == "begin_create_or_update" and "/fake_endpoints.py" in frame.f_code.co_filename:
            shares = getattr(frame.f_locals.get("entity"), "traffic", None) or {}
            if sum(1 for share in shares.values() if share) > 1 and not found:
                found.update(trace.stop())
                stack.extend(hops_trace.files_of(frame))

    with _site() as release, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # azure-ai-ml's own
        release()
        with hops_trace.Trace() as trace:
            trace.watch = watch
            trace.start(None)
            release()
    if not found:
        raise MeasureFailed("no traffic was shared by two versions")
    return found, stack


@contextlib.contextmanager
def _site() -> Iterator[Any]:
    """A function that approves a version and releases it by the command."""
    from typer.testing import CliRunner  # noqa: PLC0415

    from mlgates.cli.app import app  # noqa: PLC0415
    from mlgates.config.settings import load_settings  # noqa: PLC0415
    from tests.unit.mlgates.conftest import make_project  # noqa: PLC0415
    from tests.unit.mlgates.fake_workspace import FakeWorkspace  # noqa: PLC0415
    from tests.unit.mlgates.release.conftest import FakeEndpointClient, FakeSite  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder) / "project")
        project.release_file.write_text(_CANARY)
        models = Path(folder) / "models"
        models.mkdir()
        site = FakeSite(FakeWorkspace(), load_settings(project, "local", environ={}), models)

        def release() -> None:
            site.approved()
            words = ["release", "--by", "Ann", "--project", str(project.root)]
            result = CliRunner().invoke(app, words, obj=lambda _: site.workspace)
            if result.exit_code:
                raise MeasureFailed(f"the release failed: {result.output}")

        with patch("mlgates.endpoint_client.EndpointClient", lambda to, **_: FakeEndpointClient(site, to)):
            yield release
