"""One job from its first step to its last."""

import asyncio
import logging
import threading
from collections.abc import Sequence

from amlocal.core.context import Context
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import Folder
from amlocal.jobs import process
from amlocal.jobs.collect import Collector
from amlocal.jobs.confinement import Confinement, warning
from amlocal.jobs.distribution import write_plan
from amlocal.jobs.ending import CANCELED, COMPLETED, STOPPED, Ending, exited, failed, incomplete, overran
from amlocal.jobs.failure import fault
from amlocal.jobs.folder import LOG_FOLDER, JobFolder
from amlocal.jobs.preparation import Preparation, Prepared
from amlocal.jobs.settling import in_thread, settle
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore

_LOG = logging.getLogger("amlocal")


class Runner:
    """Runs jobs; `run` is what the queue starts."""

    def __init__(
        self, context: Context, folder: Folder, store: JobStore, preparation: Preparation, collector: Collector
    ) -> None:
        self._context = context
        self._folder = folder
        self._store = store
        self._preparation = preparation
        self._collector = collector

    async def run(self, name: str) -> None:
        """Run a job to its end; how it ended is in the store. To cancel this is to end the job."""
        folder = JobFolder(self._folder.jobs / name)
        ending = await self._execute(name, folder)
        # From here on only the books are closed, and a cancel finds them closed.
        concluding = asyncio.create_task(self.conclude(name, ending))
        await settle(concluding)
        concluding.result()

    async def conclude(self, name: str, ending: Ending) -> None:
        """Keep what an ended command left behind, write down how the job ended, clear its folder."""
        folder = JobFolder(self._folder.jobs / name)
        ending = await self._collect(name, folder, ending)
        kept = await in_thread(self._keep_log, name, folder, ending.message)
        self._end(name, ending)
        if kept:
            await in_thread(folder.remove)

    async def tidy(self, name: str) -> None:
        """Clear a folder that another server left behind, once the log of a job that has ended is kept."""
        folder, document = JobFolder(self._folder.jobs / name), self._store.find(name)
        ended = document is not None and Status(document.body["status"]).ended
        if not ended or await in_thread(self._keep_log, name, folder):
            await in_thread(folder.remove)

    async def _execute(self, name: str, folder: JobFolder) -> Ending:
        try:
            self._advance(name, Status.PREPARING)
            prepared = await self._prepare(name, folder)
            self._advance(name, Status.RUNNING)
            return await self._command(name, folder, prepared)
        except asyncio.CancelledError:
            return CANCELED if self._store.status(name) == Status.CANCEL_REQUESTED else STOPPED
        except (AmlocalError, OSError) as error:
            return failed(error)

    def _advance(self, name: str, status: Status) -> None:
        if not self._store.advance(name, status):  # a cancel came in between
            raise asyncio.CancelledError

    async def _prepare(self, name: str, folder: JobFolder) -> Prepared:
        stop = threading.Event()
        document = self._store.get(name)
        preparing = in_thread(self._preparation.prepare, document, folder, stop)
        try:
            return await asyncio.shield(preparing)
        finally:
            # The thread must be out of the folder before anyone clears it.
            stop.set()
            await settle(preparing)

    async def _command(self, name: str, folder: JobFolder, prepared: Prepared) -> Ending:
        if said := await asyncio.to_thread(warning):
            folder.say(said, self._context.clock())
        confinement = Confinement(self._folder, folder.reach)
        command, confine = prepared.command, confinement.wrap
        if prepared.processes:
            command = await asyncio.to_thread(write_plan, folder, command, prepared.processes, confine)
            confine = _apart_already
        try:
            code = await process.run(
                command,
                folder=folder.work,
                environ={**prepared.environ, **confinement.environ(folder.temporary)},
                log=folder.log,
                timeout_s=prepared.timeout_s,
                confine=confine,
            )
        except TimeoutError:
            return overran(self._store.get(name).body["properties"]["limits"]["timeout"])
        log = f"{LOG_FOLDER}/{(await asyncio.to_thread(folder.failed_log)).name}"
        return exited(code, await asyncio.to_thread(folder.error_line), log)

    async def _collect(self, name: str, folder: JobFolder, ending: Ending) -> Ending:
        """Keep the artifacts of any job and the outputs of one that completed; return how it ends after all."""
        completed = ending is COMPLETED and self._store.advance(name, Status.FINALIZING)
        say = folder.speaker(self._context.clock)
        try:
            await in_thread(self._collector.artifacts, name, folder, say)
            if completed:
                specs = self._store.get(name).body["properties"]["outputs"]
                uploaded = await in_thread(self._collector.outputs, name, specs, folder, say)
                self._store.keep_outputs(name, specs | self._collector.register(name, uploaded))
        except (AmlocalError, OSError) as error:
            return failed(error) if completed else incomplete(ending, error)
        return ending

    def _keep_log(self, name: str, folder: JobFolder, last_words: str = "") -> bool:
        try:
            if last_words:
                folder.say(last_words, self._context.clock())
            self._collector.log(name, folder)
        except (AmlocalError, OSError) as error:
            _LOG.error("the log of job %s could not be kept, it stays in %s: %s", name, folder.log, error)
            return False
        return True

    def _end(self, name: str, ending: Ending) -> None:
        if ending.status == Status.CANCELED:
            warnings = [{"source": "amlocal", "message": ending.message}] if ending.message else []
            self._store.advance(name, Status.CANCELED, warnings=warnings)
        elif self._store.status(name) == Status.CANCEL_REQUESTED:
            self._store.advance(name, Status.CANCELED)
        elif ending.status == Status.FAILED:
            self._store.advance(name, Status.FAILED, error=fault(ending.message, code=ending.code))
        else:
            self._store.advance(name, Status.COMPLETED)


def _apart_already(command: Sequence[str]) -> tuple[str, ...]:
    """Return the command that runs processes which are kept apart one by one."""
    return tuple(command)
