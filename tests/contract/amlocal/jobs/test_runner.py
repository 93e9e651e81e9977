"""Every way in which a job can end: its status, its error, its log, its folder."""

import asyncio
import errno
import logging
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from amlocal.core.documents import Document
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.preparation import PreparedJob
from amlocal.jobs.runner import JobQueue
from amlocal.jobs.status import STOPPED, Interrupted, JobFailure, Status
from tests.unit.amlocal.jobs.running import ENVIRON, Running, prepared
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run, settled, until

S = Status


@pytest.fixture
def running(workspace: JobWorkspace) -> Running:
    return Running(workspace)


def play(running: Running, scene: Coroutine[Any, Any, None]) -> None:
    """Play a scene with a job and wait for the job's end."""

    async def whole() -> None:
        await scene
        await running.ended()
        await settled()

    run(whole())


async def submitted(running: Running, **changes: Any) -> None:
    running.queue.submit(running.workspace.submit(**changes))


def test_a_command_that_ends_well_completes_through_every_status(running: Running) -> None:
    play(running, submitted(running, command="echo hello"))
    assert running.seen == [S.STARTING, S.PREPARING, S.RUNNING, S.FINALIZING, S.COMPLETED]
    assert running.kept_log == "hello\n"
    assert running.workspace.jobs.get("job").body["error"] is None


def test_outputs_and_artifacts_of_a_completed_job_are_kept(running: Running) -> None:
    command = "mkdir outputs; echo a > outputs/a.txt; echo y > ../outputs/y/y.txt"
    play(running, submitted(running, command=command, outputs={"y": {"assetName": "clean"}}))
    kept = running.workspace.jobs.get("job").body["properties"]["outputs"]["y"]
    assert kept["uri"] == "azureml://datastores/workspaceblobstore/paths/azureml/job/y/"
    assert kept["assetVersion"] == "1"
    assert running.workspace.artifact("outputs/a.txt") == b"a\n"
    assert running.workspace.data("azureml/job/y/y.txt") == b"y\n"


def test_a_failed_command_fails_the_job_with_its_last_line(running: Running) -> None:
    play(running, submitted(running, command="mkdir outputs; echo a > outputs/a; echo ValueError: no; exit 3"))
    assert running.seen[-2:] == [S.RUNNING, S.FAILED]
    assert running.error["code"] == "UserError"
    assert "status code 3" in running.error["message"]
    assert running.error["message"].endswith("Error: ValueError: no")
    assert running.kept_log.startswith("ValueError: no\n[amlocal ")
    assert running.workspace.artifact("outputs/a") == b"a\n"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("exit 3", "exit code 3"),
        ("python3 -c 'import sys; sys.exit(\"no rows left\")'", "no rows left"),
        ("python3 -c 'import sys; print(1 / 0)'; echo cleaning up; exit 1", "ZeroDivisionError: division by zero"),
        ("no-such-program --x", "/bin/bash: line 1: no-such-program: command not found"),
        ("kill -KILL $$", "exit code 137"),
    ],
)
def test_the_error_is_the_commands_own_and_never_a_notice(workspace: JobWorkspace, command: str, error: str) -> None:
    def prepare(job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        ready = prepared(job, folder, stop)
        folder.write_log("AzureML-sklearn-1.5 is a curated environment, whose image is not here.", workspace.clock())
        return ready

    running = Running(workspace, prepare)
    play(running, submitted(running, command=command))
    assert running.error["message"].endswith(f"Error: {error}")


def test_named_outputs_of_a_failed_job_are_not_registered(running: Running) -> None:
    play(running, submitted(running, command="echo y > ../outputs/y/y; exit 1", outputs={"y": {"assetName": "clean"}}))
    assert running.workspace.stores.data.containers().read() == []
    assert running.workspace.jobs.get("job").body["properties"]["outputs"]["y"]["uri"] is None


def failing(error: Exception) -> Any:
    def prepare(job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        folder.create()
        raise error

    return prepare


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobFailure("The input data is empty."), "UserError"),
        (JobFailure("uv is not there.", code="SystemError"), "SystemError"),
        (OSError(errno.ENOSPC, "No space left on device"), "SystemError"),
    ],
)
def test_a_job_that_cannot_be_prepared_fails_with_the_reason(
    workspace: JobWorkspace, error: Exception, code: str
) -> None:
    running = Running(workspace, failing(error))
    play(running, submitted(running))
    assert running.seen == [S.STARTING, S.PREPARING, S.FAILED]
    assert running.error["code"] == code
    assert str(error) in running.error["message"]
    assert str(error) in running.kept_log


def test_a_job_too_large_for_the_machine_fails_with_the_reason(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRON, "LONG", "x" * 4_000_000)
    play(running, submitted(running))
    assert running.workspace.jobs.status("job") == S.FAILED
    assert "larger than this machine" in running.error["message"]


def test_jobs_that_are_prepared_for_long_hold_nobody_up(workspace: JobWorkspace) -> None:
    begun: list[threading.Event] = []

    def prepare(job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        held = Held()
        begun.append(held.begun)
        return held(job, folder, stop)

    async def scene() -> None:
        running = Running(workspace, prepare)
        running.queue = JobQueue(workspace.jobs, running.runner.run, lambda _: 100)
        for number in range(40):
            running.queue.submit(workspace.submit(f"job{number}", computeId="large"))
        await until(lambda: len(begun) == 40)
        await asyncio.to_thread(lambda: None)  # what requests do
        await running.queue.stop()

    run(scene())


def test_a_job_past_its_limit_is_canceled_with_a_warning(running: Running) -> None:
    play(running, submitted(running, command="echo begun; sleep 600", limits={"timeout": "PT1S"}))
    assert running.seen[-2:] == [S.RUNNING, S.CANCELED]
    warnings = running.workspace.jobs.get("job").body["warnings"]
    assert warnings == [{"source": "amlocal", "message": "The job ran longer than its limit of PT1S and was canceled."}]
    assert "begun\n" in running.kept_log


async def cancel_when_it_prints(running: Running, command: str) -> None:
    await submitted(running, command=command)
    await running.printed("begun")
    running.queue.cancel("job")


def test_a_running_job_that_is_canceled_keeps_log_and_artifacts(running: Running) -> None:
    command = "mkdir outputs; echo a > outputs/a; echo begun; sleep 600"
    play(running, cancel_when_it_prints(running, command))
    assert running.seen[-3:] == [S.RUNNING, S.CANCEL_REQUESTED, S.CANCELED]
    assert running.workspace.jobs.get("job").body["error"] is None
    assert running.kept_log == "begun\n"
    assert running.workspace.artifact("outputs/a") == b"a\n"


class Held:
    """A preparation that waits until it is told to stop, or to go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        ready = prepared(job, folder, stop)
        self.begun.set()
        while not self.go.wait(0.01):
            if stop.is_set():
                raise Interrupted("stopped while the environment was built")
        return ready


def test_a_job_that_is_canceled_while_it_is_prepared_never_runs(workspace: JobWorkspace) -> None:
    held = Held()
    running = Running(workspace, held)

    async def scene() -> None:
        await submitted(running, command="echo ran")
        await until(held.begun.is_set)
        running.queue.cancel("job")

    play(running, scene())
    assert running.seen == [S.STARTING, S.PREPARING, S.CANCEL_REQUESTED, S.CANCELED]
    assert running.kept_log == ""


def test_a_cancel_between_two_steps_is_not_overlooked(workspace: JobWorkspace) -> None:
    running = Running(workspace)

    def cancel(name: str) -> None:
        workspace.jobs.advance(name, S.CANCEL_REQUESTED)

    workspace.jobs.subscribe(cancel)
    play(running, submitted(running, command="echo ran"))
    assert workspace.jobs.status("job") == S.CANCELED
    assert running.kept_log == ""


@pytest.mark.parametrize("when", [S.FINALIZING, S.RUNNING])
def test_a_cancel_that_comes_when_the_command_has_ended_loses_nothing(
    running: Running, when: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = running.collector.artifacts
    loop: list[asyncio.AbstractEventLoop] = []

    def canceling(*arguments: Any) -> None:
        loop[0].call_soon_threadsafe(running.queue.cancel, "job")
        collect(*arguments)

    async def scene() -> None:
        loop.append(asyncio.get_running_loop())
        command = "mkdir outputs; echo a > outputs/a" + ("; exit 1" if when == S.RUNNING else "")
        await submitted(running, command=command)

    monkeypatch.setattr(running.collector, "artifacts", canceling)
    play(running, scene())
    assert running.seen[-3:] == [when, S.CANCEL_REQUESTED, S.CANCELED]
    assert running.workspace.artifact("outputs/a") == b"a\n"


@pytest.mark.parametrize("command", ["echo begun; sleep 600", "trap '' TERM; echo begun; sleep 0.2; sleep 0.2"])
def test_a_stop_of_the_server_fails_what_runs_with_the_reason(running: Running, command: str) -> None:
    async def scene() -> None:
        await submitted(running, command=command)
        await running.printed("begun")
        await running.queue.stop()

    play(running, scene())
    assert running.workspace.jobs.status("job") == S.FAILED
    assert running.error == {"code": "SystemError", "message": STOPPED.message, "messageParameters": {}, "details": []}
    assert STOPPED.message in running.kept_log


def test_a_stop_of_the_server_ends_a_build(workspace: JobWorkspace) -> None:
    held = Held()
    running = Running(workspace, held)

    async def scene() -> None:
        await submitted(running)
        await until(held.begun.is_set)
        await running.queue.stop()

    play(running, scene())
    assert (workspace.jobs.status("job"), running.error["message"]) == (S.FAILED, STOPPED.message)


def test_a_stop_after_a_cancel_waits_for_the_end_and_cancels(running: Running) -> None:
    async def scene() -> None:
        await cancel_when_it_prints(running, "trap 'echo bye; exit 1' TERM; echo begun; while :; do sleep 0.01; done")
        await running.queue.stop()

    play(running, scene())
    assert running.workspace.jobs.status("job") == S.CANCELED
    assert running.kept_log.endswith("bye\n")


def test_an_artifact_that_cannot_be_kept_fails_a_job_that_had_completed(running: Running) -> None:
    play(running, submitted(running, command="mkdir outputs; touch $'outputs/\\xff'"))
    assert running.seen[-2:] == [S.FINALIZING, S.FAILED]
    assert "The name" in running.error["message"] or "cannot be named" in running.error["message"]


def test_an_output_whose_asset_is_taken_fails_the_job(running: Running) -> None:
    running.workspace.stores.data.put("clean", "1", {"dataUri": "https://example.org/x", "dataType": "uri_folder"})
    outputs = {"y": {"assetName": "clean", "assetVersion": "1"}}
    play(running, submitted(running, command="echo y > ../outputs/y/y", outputs=outputs))
    assert running.workspace.jobs.status("job") == S.FAILED
    assert "already exists" in running.error["message"]


def test_artifacts_that_cannot_be_kept_do_not_hide_why_a_job_failed(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(running.collector, "artifacts", full)
    play(running, submitted(running, command="exit 3"))
    assert "status code 3" in running.error["message"]
    assert "artifacts could not be kept: [Errno 28]" in running.error["message"]


def test_a_log_that_cannot_be_kept_stays_where_it_is(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def scene() -> None:
        await submitted(running, command="echo hello")
        await until(lambda: running.workspace.jobs.status("job").ended)
        await settled()

    monkeypatch.setattr(running.collector, "log", full)
    with caplog.at_level(logging.ERROR, "amlocal"):
        run(scene())
    assert running.workspace.jobs.status("job") == S.COMPLETED
    assert running.log() == "hello\n"
    assert "the log of job job could not be kept, it stays in" in caplog.text


def test_a_link_in_the_outputs_leaks_nothing_of_the_machine(running: Running, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    command = f"mkdir outputs; ln -s {tmp_path}/secret outputs/leak; rmdir ../outputs/y; ln -s {tmp_path} ../outputs/y"
    play(running, submitted(running, command=command, outputs={"y": {}}))
    assert running.workspace.jobs.status("job") == S.COMPLETED
    names = [blob.name for blob in running.workspace.blobs.list("azureml")]
    assert names == ["ExperimentRun/dcid.job/user_logs/std_log.txt"]
    assert "work/outputs/leak was not kept" in running.kept_log
    assert "outputs/y was not kept" in running.kept_log
