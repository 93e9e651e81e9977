"""How a running job is followed to its end: its log and its states are told by the step that follows it."""

import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from azure.ai.ml import MLClient

from mlgates.core.errors import JobFailed
from mlgates.core.progress import Step
from mlgates.core.values import Job
from mlgates.delivery.job import from_sdk
from mlgates.delivery.log_stream import LogStream
from mlgates.delivery.refusals import translate_sdk_errors

TAIL_LINES = 15


def follow(step: Step, client: MLClient, job: Job, *, poll_s: float) -> Job:
    """Tell what `job` logs and each state it reaches, until it ends; return it as it ended.

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


def _failure(job: Job, reason: str | None, tail: Sequence[str]) -> str:
    told_by_service = f": {reason.splitlines()[0]}" if reason else ""
    lines = [f"job {job.name} ended as {job.status}{told_by_service}"]
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
