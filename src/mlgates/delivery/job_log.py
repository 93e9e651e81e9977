"""How a running job is followed to its end: its states, and its log line by line."""

import io
import json
import queue
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO, cast

from azure.ai.ml import MLClient
from azure.core.exceptions import AzureError

from mlgates.core.errors import JobFailed
from mlgates.core.progress import Step
from mlgates.core.values import Job
from mlgates.delivery.jobs import from_sdk
from mlgates.delivery.sdk import diverted, one_line, translate_sdk_errors

TAIL_LINES = 15


def follow(step: Step, client: MLClient, job: Job, *, poll_s: float) -> Job:
    """Report what `job` logs and each state it reaches, until it ends; return it as it ended.

    The state is asked for every `poll_s` seconds. Raises `JobFailed`, with the last lines of the log, when the job
    ends in any other way than completed.
    """
    step.job(job.name, job.link)
    log = LogStream(client, job.name)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    log.start()
    while not (job.ended and log.finished):
        for line in log.lines(wait_s=poll_s):
            tail.append(line)
            step.log(line)
        seen = job.status
        with translate_sdk_errors(f"follow job {job.name}"):
            job = from_sdk(client.jobs.get(job.name))
        if job.status != seen:
            step.status(job.status)
    if job.status != "Completed":
        raise JobFailed(_failure(job, log.failure, tail or _downloaded_tail(client, job)))
    return job


class Transcript(io.TextIOBase):
    """A text file that passes on the job's own lines of what `jobs.stream` prints, and drops its headings.

    Every heading is underlined to its exact length: `Streaming <file>` before the lines of a log file,
    `Execution Summary` after the last. Blank lines are dropped too.
    """

    def __init__(self, pass_on: Callable[[str], None]) -> None:
        self._pass_on = pass_on
        self._unfinished = ""
        self._maybe_heading: str | None = None
        self._in_log = False

    def write(self, text: str) -> int:
        """Take any piece of text; whole lines are passed on."""
        *lines, self._unfinished = (self._unfinished + text).split("\n")
        for line in lines:
            self._take(line.rstrip("\r"))
        return len(text)

    def _take(self, line: str) -> None:
        heading, self._maybe_heading = self._maybe_heading, None
        if heading is not None:
            if line == "=" * len(heading):
                self._in_log = heading.startswith("Streaming ")
                return
            self._log_line(heading)
        if line.startswith("Streaming ") or line == "Execution Summary":
            self._maybe_heading = line
        else:
            self._log_line(line)

    def _log_line(self, line: str) -> None:
        if self._in_log and line.strip():
            self._pass_on(line)


class LogStream:
    """The log of one job, read in a thread whose standard output is diverted until the stream ends."""

    def __init__(self, client: MLClient, job_name: str) -> None:
        self.finished = False
        self.failure: str | None = None
        """What the service says of a failed job; known once finished."""
        self._client = client
        self._job_name = job_name
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to read."""
        # A daemon: Ctrl-C must end the program although the job, and with it the stream, goes on.
        threading.Thread(target=self._read, name=f"log of {self._job_name}", daemon=True).start()

    def lines(self, *, wait_s: float) -> Iterator[str]:
        """Yield what is logged within the next `wait_s` seconds; return at once when the stream ends."""
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                return
            if line is None:
                self.finished = True
                return
            yield line

    def _read(self) -> None:
        try:
            with diverted("stdout", lambda _: cast("TextIO", Transcript(self._queue.put))):
                self._client.jobs.stream(self._job_name)
        except AzureError as error:  # how the SDK reports that the job failed, or that the stream broke
            self.failure = reason(error)
        finally:
            self._queue.put(None)


def reason(error: AzureError) -> str:
    """Return the service's own words from the error of a failed job: the SDK wraps them in JSON."""
    text = str(error)
    start = text.find("{")
    try:
        document = json.loads(text[start : text.rfind("}") + 1])
        return str(document["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return one_line(error)


def _failure(job: Job, reason: str | None, tail: Sequence[str]) -> str:
    service_reason = f": {reason.splitlines()[0]}" if reason else ""
    lines = [f"job {job.name} ended as {job.status}{service_reason}"]
    if tail:
        lines += ["the last lines of its log:", *(f"  | {line}" for line in tail)]
    if job.link:
        lines.append(f"all of it: {job.link}")
    return "\n".join(lines)


def _downloaded_tail(client: MLClient, job: Job) -> Sequence[str]:
    """Return the last lines of a log that was not streamed: the job had ended before the stream began."""
    with tempfile.TemporaryDirectory() as folder, translate_sdk_errors(f"read the log of job {job.name}"):
        client.jobs.download(job.name, download_path=folder)
        logs = sorted(Path(folder).rglob("user_logs/*.txt"))
        text = logs[0].read_text(encoding="utf-8", errors="replace") if logs else ""
    return [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]
