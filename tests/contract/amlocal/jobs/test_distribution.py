"""Distributed jobs: the variables of each process, its log, and how the failure of one ends them all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.distribution import JobProcess, job_processes, mpi_notice, without_job_variables
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.preparation import PreparedJob
from amlocal.jobs.process import sandbox_method
from amlocal.jobs.sandbox import NO_SANDBOX
from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.running import ENVIRON, Running
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run, until

SIZES = st.integers(1, 12)


def variables(processes: list[JobProcess], name: str) -> list[str]:
    return [process.environ[name] for process in processes]


@given(SIZES)
def test_pytorch_gets_the_rank_of_each_and_the_size_of_all(size: int) -> None:
    processes = job_processes({"distributionType": "PyTorch", "processCountPerInstance": size})
    ranks = [str(rank) for rank in range(size)]
    assert variables(processes, "RANK") == variables(processes, "LOCAL_RANK") == ranks
    assert set(variables(processes, "WORLD_SIZE")) == {str(size)}
    assert set(variables(processes, "NODE_RANK")) == {"0"}
    assert len(set(variables(processes, "MASTER_PORT"))) == len(set(variables(processes, "MASTER_ADDR"))) == 1


@given(SIZES)
def test_mpi_gets_the_variables_of_open_mpi(size: int) -> None:
    processes = job_processes({"distributionType": "Mpi", "processCountPerInstance": size})
    ranks = [str(rank) for rank in range(size)]
    assert variables(processes, "OMPI_COMM_WORLD_RANK") == variables(processes, "OMPI_COMM_WORLD_LOCAL_RANK") == ranks
    assert set(variables(processes, "OMPI_COMM_WORLD_SIZE")) == {str(size)}


@given(st.sampled_from(["PyTorch", "Mpi"]), SIZES)
def test_the_missing_mpirun_is_logged_for_several_processes(kind: str, size: int) -> None:
    notice = mpi_notice({"distributionType": kind, "processCountPerInstance": size})
    assert (notice is not None) is (kind == "Mpi" and size > 1)


@given(workers=SIZES, servers=st.integers(0, 3))
def test_tensorflow_gets_one_cluster_and_a_task_each(workers: int, servers: int) -> None:
    processes = job_processes(
        {"distributionType": "TensorFlow", "workerCount": workers, "parameterServerCount": servers}
    )
    configs = [json.loads(text) for text in variables(processes, "TF_CONFIG")]
    cluster = configs[0]["cluster"]
    assert all(config["cluster"] == cluster for config in configs)
    assert [len(cluster[kind]) for kind in sorted(cluster)] == ([servers] if servers else []) + [workers]
    tasks = [(config["task"]["type"], config["task"]["index"]) for config in configs]
    assert tasks == [("worker", n) for n in range(workers)] + [("ps", n) for n in range(servers)]
    assert [process.awaited for process in processes] == [True] * workers + [False] * servers


@given(st.sampled_from(["PyTorch", "Mpi"]), SIZES)
def test_each_process_has_a_log_and_the_sdk_streams_that_of_the_first_alone(kind: str, size: int) -> None:
    logs = [process.log for process in job_processes({"distributionType": kind, "processCountPerInstance": size})]
    assert len(set(logs)) == size
    assert logs[0] == {1: "std_log.txt"}.get(size, f"std_log_process_{'0' * len(str(size - 1))}.txt")


@pytest.mark.parametrize("distribution", [None, {}])
def test_a_job_that_is_not_distributed_gets_no_variables(distribution: Any) -> None:
    assert job_processes(distribution) == [JobProcess({}, "std_log.txt")]


def started(workspace: JobWorkspace, distribution: dict[str, Any]) -> Running:
    """Return a workspace that runs jobs as they are distributed."""

    def prepare(job: Any, folder: JobFolder, _: Any) -> PreparedJob:
        folder.create()
        command = job.body["properties"]["command"]
        return PreparedJob(command, ENVIRON, None, tuple(job_processes(distribution)))

    return Running(workspace, prepare)


def ended(workspace: JobWorkspace, running: Running, command: str) -> None:
    async def scene() -> None:
        running.queue.submit(workspace.submit(command=command))
        await running.ended()

    run(scene())


PYTORCH = {"distributionType": "PyTorch", "processCountPerInstance": 3}


def test_all_run_at_once_each_with_its_own_rank(workspace: JobWorkspace) -> None:
    running = started(workspace, PYTORCH)
    # Each waits for all: run one after another they would never end.
    command = "touch $RANK; until [ -e 0 ] && [ -e 1 ] && [ -e 2 ]; do sleep 0.01; done; echo $RANK of $WORLD_SIZE"
    ended(workspace, running, command)
    assert workspace.jobs.status("job") == Status.COMPLETED
    logs = [workspace.artifact(f"user_logs/std_log_process_{rank}.txt") for rank in range(3)]
    assert logs == [b"0 of 3\n", b"1 of 3\n", b"2 of 3\n"]


def test_the_first_that_fails_ends_the_others_and_its_line_is_the_error(workspace: JobWorkspace) -> None:
    running = started(workspace, PYTORCH)
    ended(workspace, running, 'if [ $RANK = 1 ]; then echo "no such layer" >&2; exit 7; fi; sleep 1000')
    assert workspace.jobs.status("job") == Status.FAILED
    for word in ("exited with status code 7", "no such layer", "user_logs/std_log_process_1.txt"):
        assert word in running.error["message"]
    assert "process 1 of 3 ended with exit code 7; the others were ended" in running.kept_log


def test_a_parameter_server_is_ended_when_the_workers_are_done(workspace: JobWorkspace) -> None:
    running = started(workspace, {"distributionType": "TensorFlow", "workerCount": 1, "parameterServerCount": 1})
    ended(workspace, running, 'case "$TF_CONFIG" in *\\"ps\\",*) sleep 1000;; esac')
    assert workspace.jobs.status("job") == Status.COMPLETED


def test_a_cancel_reaches_every_process(workspace: JobWorkspace) -> None:
    running = started(workspace, PYTORCH)

    async def scene() -> None:
        running.queue.submit(
            workspace.submit(
                command="trap 'echo ended >> \"$PWD/../ended\"; exit' TERM; echo up; while :; do sleep 0.01; done"
            )
        )
        logs = [workspace.folder.jobs / "job" / "user_logs" / f"std_log_process_{rank}.txt" for rank in range(3)]
        await until(lambda: all(log.exists() and log.read_text() == "up\n" for log in logs))
        running.queue.cancel("job")
        await running.ended()

    run(scene())
    assert workspace.jobs.status("job") == Status.CANCELED


def test_the_variables_of_the_job_itself_win() -> None:
    variables = without_job_variables(job_processes(PYTORCH), {"RANK": "mine"})
    assert all("RANK" not in process.environ and "LOCAL_RANK" in process.environ for process in variables)


@pytest.mark.parametrize("log", ["std_log.txt", "std_log_process_0.txt", "../processes.json.failed"])
def test_no_process_puts_anything_in_the_place_of_a_log(workspace: JobWorkspace, log: str) -> None:
    if sandbox_method() == NO_SANDBOX:
        pytest.skip("no sandbox on this machine")
    secret = workspace.folder.root / "secret"
    secret.write_text("a secret")
    running = started(workspace, PYTORCH)
    ended(workspace, running, f'rm -f "../user_logs/{log}"; ln -s "{secret}" "../user_logs/{log}"; exit 3')
    assert "a secret" not in running.error["message"] + running.kept_log
    assert secret.read_text() == "a secret"
