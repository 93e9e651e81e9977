import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from amlocal.core.documents import Document
from amlocal.jobs.runner import SERVERLESS_NODES, JobQueue
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore, compute_name
from tests.unit.amlocal.jobs.workspace import HeldRuns, JobWorkspace, accepted, open_jobs, run, settled

COMPUTES = ["", "big", "small"]


class Queues(RuleBasedStateMachine):
    """Whatever is submitted, canceled, ended and scaled: each compute runs as many as it has nodes, in order."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.opened = open_jobs()
        self.context, self.store = self.opened.__enter__()
        self.runs = HeldRuns(self.store)
        self.nodes = {"": SERVERLESS_NODES, "big": 3, "small": 1}
        self.queue = JobQueue(self.store, self.runs.run, lambda compute: self.nodes[compute])
        self.compute: dict[str, str] = {}

    def teardown(self) -> None:
        self.loop.run(self.queue.stop())
        self.loop.close()
        self.opened.__exit__(None, None, None)

    @rule(target=jobs, compute=st.sampled_from(COMPUTES))
    def submit(self, compute: str) -> str:
        name = f"job{len(self.compute)}"
        self.compute[name] = compute
        document = self.store.create(name, accepted(self.context, name, computeId=compute))
        self.loop.run(self._submit(document))
        return name

    async def _submit(self, document: Document) -> None:
        self.queue.submit(document)
        await settled()

    @rule(name=jobs)
    def end(self, name: str) -> None:
        if name in self.runs.held:
            self.runs.held[name].set()
            self.loop.run(settled())
            assert self.store.status(name) == Status.COMPLETED

    @rule(name=jobs)
    def cancel(self, name: str) -> None:
        before = self.store.status(name)
        self.loop.run(self._cancel(name))
        assert self.store.status(name) == (before if before.ended else Status.CANCELED)

    async def _cancel(self, name: str) -> None:
        self.queue.cancel(name)
        await settled()

    @rule(compute=st.sampled_from(["big", "small"]), nodes=st.integers(1, 4))
    def scale(self, compute: str, nodes: int) -> None:
        self.nodes[compute] = nodes
        self.loop.run(self._refill())

    async def _refill(self) -> None:
        self.queue.refill()
        await settled()

    @invariant()
    def each_compute_starts_jobs_in_order(self) -> None:
        for compute in COMPUTES:
            started = [name for name in self.runs.started if self.compute[name] == compute]
            assert started == sorted(started, key=lambda name: int(name[3:]))
            assert len(started) == len(set(started))

    @invariant()
    def nobody_waits_while_a_node_is_free(self) -> None:
        for compute in COMPUTES:
            mine = [self.store.status(name) for name, where in self.compute.items() if where == compute]
            waiting, running = mine.count(Status.QUEUED), mine.count(Status.RUNNING)
            assert mine.count(Status.STARTING) == 0
            assert not waiting or running >= self.nodes[compute]


Queues.TestCase.settings = settings(stateful_step_count=30)
test_queues = Queues.TestCase


@contextmanager
def held(workspace: JobWorkspace, nodes: int = 1) -> Iterator[tuple[JobQueue, HeldRuns]]:
    runs = HeldRuns(workspace.jobs)
    yield JobQueue(workspace.jobs, runs.run, lambda _: nodes), runs


def statuses(store: JobStore) -> dict[str, str]:
    return {document.name: str(document.body["status"]) for document in reversed(store.listed().all())}


def test_a_job_that_is_canceled_before_its_first_step_never_runs(workspace: JobWorkspace) -> None:
    async def scene(queue: JobQueue) -> None:
        queue.submit(workspace.submit())
        queue.cancel("job")
        await settled()

    with held(workspace) as (queue, runs):
        run(scene(queue))
        assert (runs.started, statuses(workspace.jobs)) == ([], {"job": "Canceled"})


def test_a_job_that_is_canceled_while_it_waits_never_runs(workspace: JobWorkspace) -> None:
    async def scene(queue: JobQueue, runs: HeldRuns) -> None:
        for name in ("first", "second"):
            queue.submit(workspace.submit(name, computeId="one"))
            await settled()
        queue.cancel("second")
        runs.held["first"].set()
        await settled()

    with held(workspace) as (queue, runs):
        run(scene(queue, runs))
        assert statuses(workspace.jobs) == {"first": "Completed", "second": "Canceled"}


def test_a_stop_ends_what_runs_and_leaves_the_rest_for_the_next_start(workspace: JobWorkspace) -> None:
    async def scene(queue: JobQueue) -> None:
        queue.submit(workspace.submit("runs", computeId="one"))
        await settled()
        queue.submit(workspace.submit("waits", computeId="one"))
        queue.submit(workspace.submit("not_begun", computeId="two"))
        await queue.stop()
        await settled()

    with held(workspace) as (queue, _):
        run(scene(queue))
        assert statuses(workspace.jobs) == {"runs": "Failed", "waits": "Queued", "not_begun": "Starting"}


def test_a_fault_of_amlocal_fails_the_job_and_frees_the_node(
    workspace: JobWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(name: str) -> None:
        raise RuntimeError(f"no idea what to do with {name}")

    async def scene() -> None:
        queue = JobQueue(workspace.jobs, fail, lambda _: 1)
        queue.submit(workspace.submit("first", computeId="one"))
        queue.submit(workspace.submit("second", computeId="one"))
        await settled()

    with caplog.at_level(logging.ERROR, "amlocal"):
        run(scene())
    assert statuses(workspace.jobs) == {"first": "Failed", "second": "Failed"}
    assert "no idea what to do with first" in workspace.jobs.get("first").body["error"]["error"]["message"]
    assert [record.getMessage() for record in caplog.records] == [
        f"job {name} ended in a fault of amlocal" for name in ("first", "second")
    ]


def test_jobs_that_wait_for_a_compute_that_is_gone_fail_with_the_reason(workspace: JobWorkspace) -> None:
    nodes: dict[str, int | None] = {"gone": 1}

    async def scene(queue: JobQueue) -> None:
        for name in ("runs", "waits"):
            queue.submit(workspace.submit(name, computeId="gone"))
        nodes["gone"] = None
        queue.refill()
        await settled()
        assert statuses(workspace.jobs) == {"runs": "Running", "waits": "Failed"}
        await queue.stop()

    run(scene(JobQueue(workspace.jobs, HeldRuns(workspace.jobs).run, lambda compute: nodes[compute])))
    assert "Unknown compute target 'gone'" in workspace.jobs.get("waits").body["error"]["error"]["message"]


def test_a_cancel_of_a_job_that_has_ended_changes_nothing(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED)
    with held(workspace) as (queue, _):
        queue.cancel("job")
    assert statuses(workspace.jobs) == {"job": "Completed"}


def test_a_second_cancel_does_not_disturb_the_first(workspace: JobWorkspace) -> None:
    async def scene(queue: JobQueue, runs: HeldRuns) -> None:
        queue.submit(workspace.submit())
        await settled()
        queue.cancel("job")
        queue.cancel("job")
        await settled()

    with held(workspace) as (queue, runs):
        run(scene(queue, runs))
        assert statuses(workspace.jobs) == {"job": "Canceled"}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (None, ""),
        ("", ""),
        ("cpu-cluster", "cpu-cluster"),
        ("azureml:cpu-cluster", "cpu-cluster"),
        ("/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/computes/cpu-cluster", "cpu-cluster"),
    ],
)
def test_a_compute_is_named_in_many_ways(reference: str | None, name: str) -> None:
    assert compute_name(reference) == name
