"""One job from its first step to its last."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import Folder
from amlocal.jobs import process
from amlocal.jobs.collect import Collector
from amlocal.jobs.failure import fault
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.preparation import Preparation, Prepared
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore
from amlocal.jobs.tracked import TrackedRuns

STOPPED = "The workspace was stopped while the job ran; nothing of it goes on. Submit it again."


class Runner:
    """Runs jobs; `run` is what the queue starts."""

    def __init__(
        self,
        context: Context,
        folder: Folder,
        store: JobStore,
        preparation: Preparation,
        collector: Collector,
        tracked: TrackedRuns,
    ) -> None:
        self._context = context
        self._folder = folder
        self._store = store
        self._preparation = preparation
        self._collector = collector
        self._tracked = tracked

    async def run(self, name: str) -> None:
        """Run a job to its end; how it ended is in the store. Raises `CancelledError` alone."""
        folder = JobFolder(self._folder.jobs / name)
        try:
            code = await self._execute(name, folder)
            await self._finish(name, folder, code)
        except asyncio.CancelledError:
            await self._cancelled(name, folder)
            raise
        except TimeoutError:
            await self._timed_out(name, folder)
        except AmlocalError as error:
            await self._fail(name, folder, str(error), code=getattr(error, "code", "UserError"))
        finally:
            self._tracked.sync(name)
            await asyncio.to_thread(folder.remove)

    async def _execute(self, name: str, folder: JobFolder) -> int:
        self._advance(name, Status.PREPARING)
        self._tracked.sync(name)
        prepared = await self._prepare_stoppably(name, folder)
        self._advance(name, Status.RUNNING)
        return await process.run(
            prepared.command,
            folder=folder.work,
            environ=prepared.environ,
            log=folder.log,
            timeout_s=prepared.timeout_s,
        )

    async def _prepare_stoppably(self, name: str, folder: JobFolder) -> Prepared:
        document = self._store.get(name)
        stop = threading.Event()
        task = asyncio.ensure_future(asyncio.to_thread(self._preparation.prepare, document, folder, stop))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # The thread must be out of the folder before anyone clears it.
            stop.set()
            await asyncio.wait([task])
            raise

    def _advance(self, name: str, status: Status) -> None:
        if not self._store.advance(name, status):  # a cancel came in between
            raise asyncio.CancelledError

    async def _finish(self, name: str, folder: JobFolder, code: int) -> None:
        if code != 0:
            last = folder.tail(1)
            await self._fail(name, folder, _exit_message(code, last))
            return
        self._advance(name, Status.FINALIZING)
        properties = self._store.get(name).body["properties"]
        specs = await asyncio.to_thread(self._collect, name, folder, properties["outputs"])
        self._store.note(name, properties=properties | {"outputs": specs})
        self._advance(name, Status.COMPLETED)

    def _collect(self, name: str, folder: JobFolder, specs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        self._collector.artifacts(name, folder)
        collected = self._collector.outputs(name, specs, folder)
        self._collector.log(name, folder)
        return collected

    def _keep_evidence(self, name: str, folder: JobFolder) -> None:
        self._collector.artifacts(name, folder)
        self._collector.log(name, folder)

    async def _fail(self, name: str, folder: JobFolder, message: str, *, code: str = "UserError") -> None:
        await asyncio.to_thread(folder.say, message, self._context.clock())
        await asyncio.to_thread(self._keep_evidence, name, folder)
        self._store.advance(name, Status.FAILED, error=fault(message, code=code))

    async def _timed_out(self, name: str, folder: JobFolder) -> None:
        # Azure ML cancels a job that runs past its limit.
        limit = self._store.get(name).body["properties"]["limits"]["timeout"]
        message = f"The job ran longer than its limit of {limit} and was canceled."
        folder.say(message, self._context.clock())
        await asyncio.to_thread(self._keep_evidence, name, folder)
        self._store.advance(name, Status.CANCEL_REQUESTED)
        self._store.advance(name, Status.CANCELED, warnings=[{"source": "amlocal", "message": message}])

    async def _cancelled(self, name: str, folder: JobFolder) -> None:
        await asyncio.to_thread(self._keep_evidence, name, folder)
        if self._store.status(name) != Status.CANCEL_REQUESTED:
            self._store.advance(name, Status.FAILED, error=fault(STOPPED))
            return
        self._store.advance(name, Status.CANCELED)


def _exit_message(code: int, last_line: str) -> str:
    signal = f" (ended by signal {code - 128})" if code > 128 else ""
    reason = f" Error: {last_line}" if last_line else ""
    return (
        f"Execution failed. User process '/bin/bash' exited with status code {code}{signal}. "
        f"Please check log file '{LOG_NAME}' for error details.{reason}"
    )
