"""How a job's log is read line by line, although `jobs.stream` only prints it."""

import io
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO, cast

from azure.ai.ml import MLClient
from azure.core.exceptions import AzureError

from mlgates.delivery.printing import diverted
from mlgates.delivery.refusals import one_line


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
        held, self._maybe_heading = self._maybe_heading, None
        if held is not None:
            if line == "=" * len(held):
                self._in_log = held.startswith("Streaming ")
                return
            self._tell(held)
        if line.startswith("Streaming ") or line == "Execution Summary":
            self._maybe_heading = line
        else:
            self._tell(line)

    def _tell(self, line: str) -> None:
        if self._in_log and line.strip():
            self._pass_on(line)


class LogStream:
    """The log of one job, read in a thread of its own, whose standard output is diverted until the stream ends."""

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
        except AzureError as error:  # how the SDK tells that the job failed, or that the stream broke
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
