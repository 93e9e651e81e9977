"""How a job is distributed: its processes on this one node, and the rank variables of each."""

import json
import shlex
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from amlocal.core.decoding import Sent, count, mapping, text
from amlocal.core.errors import ApiError, BadRequest
from amlocal.jobs import rank_launcher
from amlocal.jobs.folder import JobFolder

Confine = Callable[[Sequence[str]], tuple[str, ...]]  # a command -> the command that runs it in the sandbox

MOST_PROCESSES = 64  # of a job; more is a mistake on one machine
_ADDRESS = "127.0.0.1"
_KINDS = ("PyTorch", "Mpi", "TensorFlow")


@dataclass(frozen=True, slots=True)
class JobProcess:
    """One process of a job: its variables, the file of its log, and whether the job waits for it."""

    environ: Mapping[str, str]
    log: str
    awaited: bool = True


def accept_distribution(sent: Sent, resources: Sent) -> dict[str, Any] | None:
    """Return a job's distribution as it is kept.

    Raises `ApiError` 501 for what one machine does not do, `BadRequest` for more processes than it takes.
    """
    instances = count(resources, "instanceCount", default=1)
    if instances > 1:
        raise ApiError(
            501,
            f"amlocal is one machine, and instance_count is {instances}. Set it to 1 here; process_count_per_instance "
            "may be more.",
            code="NotImplemented",
        )
    given = mapping(sent, "distribution")
    kind = text(given, "distributionType")
    if not given:
        return None
    if kind not in _KINDS:
        raise ApiError(
            501, f"The distribution {kind} is not served locally; {', '.join(_KINDS)} are.", code="NotImplemented"
        )
    processes = _size(given)
    if processes > MOST_PROCESSES:
        raise BadRequest(f"The distribution asks for {processes} processes; one machine takes {MOST_PROCESSES}.")
    return given


def _size(given: Sent) -> int:
    if text(given, "distributionType") == "TensorFlow":
        return _workers(given) + count(given, "parameterServerCount", default=0)
    return max(count(given, "processCountPerInstance", default=1), 1)


def _workers(given: Sent) -> int:
    return max(count(given, "workerCount", default=1), 1)


def job_processes(distribution: Mapping[str, Any] | None) -> list[JobProcess]:
    """Return the processes of a job: one without variables when it is not distributed.

    The names are Azure ML's (learn.microsoft.com, "Distributed GPU training guide"). A port is one that is free now.
    """
    if not distribution:
        return [JobProcess({}, "std_log.txt")]
    variables = {"PyTorch": _pytorch, "Mpi": _mpi, "TensorFlow": _tensorflow}[distribution["distributionType"]]
    size = _size(distribution)
    environs = list(variables(distribution))
    if size == 1:
        return [JobProcess(environs[0][0], "std_log.txt")]
    width = len(str(size - 1))
    return [
        JobProcess(environ, f"std_log_process_{rank:0{width}}.txt", awaited)
        for rank, (environ, awaited) in enumerate(environs)
    ]


def mpi_notice(distribution: Mapping[str, Any] | None) -> str | None:
    """Return the line that says what several processes of MPI do not have here, None for any other job."""
    if not distribution or distribution["distributionType"] != "Mpi" or _size(distribution) == 1:
        return None
    return "distribution mpi: the processes are started without mpirun; each has its rank, and is alone to mpi4py"


def without_job_variables(processes: Sequence[JobProcess], own: Mapping[str, str]) -> tuple[JobProcess, ...]:
    """Return the processes without the variables that the job sets itself: those win."""
    return tuple(
        replace(process, environ={key: value for key, value in process.environ.items() if key not in own})
        for process in processes
    )


def write_plan(folder: JobFolder, command: str, processes: Sequence[JobProcess], confine: Confine) -> str:
    """Leave what the processes of a job are; return the command that runs them, which is outside of their sandbox.

    So it opens their logs, where none of them can put a link to another file.
    """
    # In a file, since every user of the machine sees a process's arguments.
    folder.script.parent.mkdir()
    folder.script.write_text(command, encoding="utf-8")
    plan = {
        "command": confine(("/bin/bash", str(folder.script))),
        "processes": [
            {"environ": process.environ, "log": str(folder.logs / process.log), "awaited": process.awaited}
            for process in processes
        ],
    }
    folder.plan.write_text(json.dumps(plan), encoding="utf-8")
    return shlex.join([sys.executable, "-I", "-S", rank_launcher.__file__, str(folder.plan)])


def _pytorch(distribution: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], bool]]:
    size, port = _size(distribution), _free_ports(1)[0]
    for rank in range(size):
        yield (
            {
                "MASTER_ADDR": _ADDRESS,
                "MASTER_PORT": str(port),
                "NODE_RANK": "0",
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(size),
                "LOCAL_WORLD_SIZE": str(size),
            },
            True,
        )


def _mpi(distribution: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], bool]]:
    size, port = _size(distribution), _free_ports(1)[0]
    for rank in range(size):
        yield (
            {
                "OMPI_COMM_WORLD_RANK": str(rank),
                "OMPI_COMM_WORLD_SIZE": str(size),
                "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
                "OMPI_COMM_WORLD_LOCAL_SIZE": str(size),
                "OMPI_COMM_WORLD_NODE_RANK": str(rank),  # Open MPI counts the processes of a node so
                "AZ_BATCHAI_MPI_MASTER_NODE": _ADDRESS,
                "AZ_BATCH_MASTER_NODE": f"{_ADDRESS}:{port}",
            },
            True,
        )


def _tensorflow(distribution: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], bool]]:
    """Yield the workers, then the parameter servers, which serve until no worker is left."""
    workers, servers = _workers(distribution), count(distribution, "parameterServerCount", default=0)
    hosts = [f"{_ADDRESS}:{port}" for port in _free_ports(workers + servers)]
    cluster = {"worker": hosts[:workers]} | ({"ps": hosts[workers:]} if servers else {})
    tasks = [("worker", rank) for rank in range(workers)] + [("ps", rank) for rank in range(servers)]
    for kind, index in tasks:
        config = {"cluster": cluster, "task": {"type": kind, "index": index}, "environment": "cloud"}
        yield {"TF_CONFIG": json.dumps(config)}, kind == "worker"


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind((_ADDRESS, 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
