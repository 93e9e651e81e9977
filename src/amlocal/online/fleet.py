"""The deployments that serve now, and how a new version takes the place of an old one."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from amlocal.core.clock import Clock
from amlocal.core.durations import seconds
from amlocal.core.errors import AmlocalError
from amlocal.online.errors import RolloutFailed
from amlocal.online.image import Image, Images
from amlocal.online.logs import DeploymentLog
from amlocal.online.pool import Backend, Limits, Pool
from amlocal.online.scoring_process import ScoringProcess
from amlocal.online.script_process import ScriptProcess

Key = tuple[str, str]  # endpoint, deployment
_TAIL_LINES = 20


def limits_of(properties: Mapping[str, Any], capacity: int) -> Limits:
    """Return the settings of a deployment whose defaults are filled in."""
    requests, ready, alive = (properties[key] for key in ("requestSettings", "readinessProbe", "livenessProbe"))
    return Limits(
        instances=capacity,
        concurrent=requests["maxConcurrentRequestsPerInstance"],
        timeout_s=seconds(requests["requestTimeout"]),
        start_s=seconds(ready["initialDelay"]) + seconds(ready["period"]) * ready["failureThreshold"],
        probe_period_s=seconds(alive["period"]),
        probe_timeout_s=seconds(alive["timeout"]),
        probe_failures=alive["failureThreshold"],
    )


class Fleet:
    """Runs deployments below `root`, a folder for each version that was rolled out."""

    def __init__(self, root: Path, images: Images, clock: Clock, ids: Callable[[], str]) -> None:
        self._root = root
        self._images = images
        self._clock = clock
        self._ids = ids
        self._pools: dict[Key, Pool] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def pool(self, key: Key) -> Pool | None:
        """Return what serves a deployment, or None."""
        return self._pools.get(key)

    def log(self, key: Key) -> DeploymentLog:
        """Return the log of a deployment."""
        return DeploymentLog(self._root / key[0] / key[1] / "log.txt")

    async def roll_out(self, key: Key, properties: Mapping[str, Any], capacity: int) -> None:
        """Bring a version up; once it serves, it takes the place of the one before, which ends when it is idle.

        Raises `RolloutFailed`, with the last lines of the log, and then the one before goes on serving.
        """
        log = self.log(key)
        folder = log.path.parent / self._ids()
        say = partial(self._say, log)
        say("Rolling out.")
        try:
            image = await self._prepare(properties, folder, say)
            pool = Pool(partial(_backend, image, log.path), limits_of(properties, capacity), say)
            await pool.start()
        except BaseException as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if isinstance(error, AmlocalError | OSError):
                say(f"The rollout failed: {error}")
                raise _failure(error, log) from error
            raise
        say("Serving.")
        self._replace(key, pool, folder)

    def remove(self, key: Key) -> None:
        """Have a deployment end once it is idle."""
        pool = self._pools.pop(key, None)
        if pool is not None:
            self._leave(pool, self._root / key[0] / key[1])

    async def stop(self) -> None:
        """End everything now."""
        for leaving in self._leaving:
            leaving.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self._pools.values()))
        self._pools.clear()

    async def _prepare(self, properties: Mapping[str, Any], folder: Path, say: Callable[[str], None]) -> Image:
        stop = threading.Event()
        preparing = asyncio.ensure_future(asyncio.to_thread(self._images.prepare, properties, folder, say, stop))
        try:
            return await asyncio.shield(preparing)
        finally:
            stop.set()
            await asyncio.wait([preparing])  # the thread must be out of the folder before anyone clears it

    def _replace(self, key: Key, pool: Pool, folder: Path) -> None:
        old, self._pools[key] = self._pools.get(key), pool
        siblings = [path for path in folder.parent.iterdir() if path.is_dir() and path != folder]
        if old is not None:
            self._leave(old, *siblings)

    def _leave(self, pool: Pool, *folders: Path) -> None:
        async def leave() -> None:
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


def _backend(image: Image, log: Path) -> Backend:
    kind = ScriptProcess if image.is_script else ScoringProcess
    return kind(image.command, image.environ, image.folder, log)


def _failure(error: Exception, log: DeploymentLog) -> RolloutFailed:
    reason = str(error)
    if not reason.startswith("User container has crashed"):
        reason = f"User container has crashed or terminated: {reason}"
    return RolloutFailed(f"ResourceNotReady: {reason}\nThe last lines of the log:\n{log.tail(_TAIL_LINES)}")
