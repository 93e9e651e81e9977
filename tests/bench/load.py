"""The load generator: wrk (Debian's package of that name), which takes TLS and checks no certificate."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil

from tests.bench.figures import MeasureFailed
from tests.bench.processes import listeners

# wrk calls `done` once, with times in microseconds; `status` counts the answers of 400 and above.
_SCRIPT = """
wrk.method = "POST"
wrk.body = {body}
{headers}
function done(summary, latency)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{{"requests": %d, "us": %d, "median_us": %d, "p99_us": %d, "refused": %d, "broken": %d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and what each of them is."""

    url: str
    body: str
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load: requests a second, times of a request, and the CPU time that its processes took.

    Other programs on the machine change the first three, and the last hardly.
    """

    rate: float
    median_ms: float
    p99_ms: float
    cpu_us: float


def require_wrk() -> None:
    """Raise `MeasureFailed` when there is no wrk."""
    if shutil.which("wrk") is None:
        raise MeasureFailed("online needs the load generator wrk on the path: apt install wrk, or brew install wrk")


def press(target: Target, *, connections: int, seconds: int) -> Load:
    """Keep so many connections busy for so long. Raises `MeasureFailed` unless every request was answered well."""
    headers = "\n".join(f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in target.headers.items())
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post.lua"
        script.write_text(_SCRIPT.format(body=_lua(target.body), headers=headers))
        command = ("wrk", "-t", "1", "-c", str(connections), "-d", str(seconds), "--timeout", "10s")
        before = _cpu_seconds(target.url)
        done = subprocess.run([*command, "-s", str(script), target.url], check=True, capture_output=True, text=True)
        taken = _cpu_seconds(target.url) - before
    found = json.loads(done.stderr)
    if found["refused"] or found["broken"] or not found["requests"]:
        raise MeasureFailed(
            f"{target.url} at {connections} connections: of {found['requests']} requests {found['refused']} were "
            f"refused, and {found['broken']} connections broke"
        )
    return Load(
        rate=found["requests"] * 1e6 / found["us"],
        median_ms=found["median_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
        cpu_us=taken * 1e6 / found["requests"],
    )


def _cpu_seconds(url: str) -> float:
    times = [process.cpu_times() for process in _processes(url)]
    return sum(time.user + time.system for time in times)


@cache
def _processes(url: str) -> tuple[psutil.Process, ...]:
    """Return the processes that listen at the port of `url`, and all below them."""
    return tuple({one for process in listeners(url) for one in (process, *process.children(recursive=True))})


def _lua(text: str) -> str:
    """Return a text as Lua writes it; the texts here are plain, and JSON's escapes for them are Lua's."""
    return json.dumps(text)
