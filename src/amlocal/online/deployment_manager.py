"""The deployments that serve now, and how a new version takes the place of an old one."""

import asyncio
import contextlib
import shutil
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from amlocal.core.context import Clock, Ids
from amlocal.core.decoding import seconds
from amlocal.core.errors import AmlocalError
from amlocal.online.deployment_build import DeploymentBuild, DeploymentBuilder
from amlocal.online.deployment_logs import DeploymentLog
from amlocal.online.errors import RolloutFailed
from amlocal.online.pool import Backend, Pool, PoolSettings
from amlocal.online.scoring_process import ScoringProcess
from amlocal.online.script_process import ScriptProcess

DeploymentKey = tuple[str, str]  # endpoint, deployment
SERVER, INITIALIZER = "InferenceServer", "StorageInitializer"
_LOGS = {SERVER: "log.txt", INITIALIZER: "storage.txt"}
MakeBackend = Callable[[DeploymentBuild, DeploymentLog], Backend]
_TAIL_LINES = 20


def pool_settings(properties: Mapping[str, Any], capacity: int) -> PoolSettings:
    """Return the settings of a deployment whose defaults are filled in."""
    requests, ready, alive = (properties[key] for key in ("requestSettings", "readinessProbe", "livenessProbe"))
    return PoolSettings(
        instances=capacity,
        concurrent=requests["maxConcurrentRequestsPerInstance"],
        timeout_s=seconds(requests["requestTimeout"]),
        start_s=seconds(ready["initialDelay"]) + seconds(ready["period"]) * ready["failureThreshold"],
        probe_period_s=seconds(alive["period"]),
        probe_timeout_s=seconds(alive["timeout"]),
        probe_failures=alive["failureThreshold"],
    )


def make_backend(build: DeploymentBuild, log: DeploymentLog) -> Backend:
    """Return the kind of process that a build is for."""
    if build.is_script:
        return ScriptProcess(build.command, build.environ, build.folder, log)
    return ScoringProcess(build.command, build.environ, build.folder, log, build.document)


class DeploymentManager:
    """Runs deployments below `root`, a folder for each version that was rolled out; `make` returns a process."""

    def __init__(
        self, root: Path, builder: DeploymentBuilder, clock: Clock, ids: Ids, make: MakeBackend = make_backend
    ) -> None:
        self._root = root
        self._make = make
        self._builder = builder
        self._clock = clock
        self._ids = ids
        self._pools: dict[DeploymentKey, Pool] = {}
        self._coming: dict[DeploymentKey, asyncio.Future[Pool | None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def pool(self, key: DeploymentKey) -> Pool | None:
        """Return what serves a deployment, or None."""
        return self._pools.get(key)

    def expect(self, key: DeploymentKey) -> None:
        """Have requests to a deployment that does not serve yet wait for it (see `coming`)."""
        self._coming[key] = asyncio.get_running_loop().create_future()

    def give_up(self, key: DeploymentKey) -> None:
        """End the waiting for a deployment that does not come."""
        self._arrived(key, None)

    async def coming(self, key: DeploymentKey, timeout_s: float) -> Pool | None:
        """Return what serves a deployment, waiting for one that is expected; None when it has not come by then."""
        pool = self._pools.get(key)
        if pool is not None or key not in self._coming:
            return pool
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._coming[key])
        return None

    def log(self, key: DeploymentKey, container: str = SERVER) -> DeploymentLog:
        """Return a log of a deployment, by what Azure calls the container that writes it."""
        return DeploymentLog(self._folder(key) / _LOGS[container])

    async def roll_out(self, key: DeploymentKey, properties: Mapping[str, Any], capacity: int) -> None:
        """Bring a version up; once it serves, it takes the place of the one before, which ends when it is idle.

        Raises `RolloutFailed`, with the last lines of the log, and then the one before goes on serving.
        """
        log = self.log(key)
        folder = self._folder(key) / self._ids()
        say = partial(self._say, log)
        say("Rolling out.")
        try:
            build = await self._prepare(properties, folder, say, partial(self._say, self.log(key, INITIALIZER)))
            pool = Pool(partial(self._make, build, log), pool_settings(properties, capacity), say)
            await pool.start()
        except BaseException as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if isinstance(error, AmlocalError | OSError):
                say(f"The rollout failed: {error}")
                raise _failure(error, log) from error
            raise
        say("Serving.")
        old, self._pools[key] = self._pools.get(key), pool
        self._arrived(key, pool)
        self._leave(old, self._versions(key) - {folder})

    def remove(self, key: DeploymentKey) -> None:
        """Have a deployment end once it is idle, and its logs at once."""
        self.give_up(key)
        for container in _LOGS:
            self.log(key, container).remove()
        # Those that are there now: a deployment of the same name may be made before the last request is answered.
        self._leave(self._pools.pop(key, None), self._versions(key))

    async def stop(self) -> None:
        """End everything now."""
        for leaving in self._leaving:
            leaving.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        self._pools.clear()

    async def _prepare(
        self, properties: Mapping[str, Any], folder: Path, say: Callable[[str], None], fetched: Callable[[str], None]
    ) -> DeploymentBuild:
        stop = threading.Event()
        work = partial(self._builder.prepare, properties, folder, say=say, fetched=fetched, stop=stop)
        preparing = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(preparing)
        finally:
            stop.set()
            await asyncio.wait([preparing])  # the thread must be out of the folder before anyone clears it

    def _folder(self, key: DeploymentKey) -> Path:
        return self._root / key[0] / key[1]

    def _versions(self, key: DeploymentKey) -> set[Path]:
        folder = self._folder(key)
        return {path for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()

    def _arrived(self, key: DeploymentKey, pool: Pool | None) -> None:
        coming = self._coming.pop(key, None)
        if coming is not None:
            coming.set_result(pool)

    def _leave(self, pool: Pool | None, folders: set[Path]) -> None:
        async def leave() -> None:
            if pool is not None:
                try:
                    await pool.drain()
                finally:
                    await pool.stop()
            for folder in folders:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

        task = asyncio.create_task(leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _say(self, log: DeploymentLog, line: str) -> None:
        log.say(line, self._clock())


def _failure(error: Exception, log: DeploymentLog) -> RolloutFailed:
    reason = str(error)
    if not reason.startswith("User container has crashed"):
        reason = f"User container has crashed or terminated: {reason}"
    return RolloutFailed(f"ResourceNotReady: {reason}\nThe last lines of the log:\n{log.tail(_TAIL_LINES)}")
