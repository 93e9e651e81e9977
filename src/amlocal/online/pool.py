"""The processes of one deployment: requests go to the least busy, wait their turn, or are turned away."""

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from amlocal.online.errors import NotSent, ProcessDied, RolloutFailed, TooBusy, WorkerDied
from amlocal.online_scoring.link import ScoringResponse

NO_HEADERS: Mapping[str, str] = {}

_LONGEST_PAUSE_S = 60.0


class Backend(Protocol):
    """A process that serves the model."""

    async def start(self) -> None:
        """Return once it serves. Raises `ProcessDied`."""

    def watch(self, lost: Callable[[], None]) -> None:
        """Have `lost` called when a worker of it is gone, of which it makes another."""

    def ask(
        self, body: bytes, content_type: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> asyncio.Future[ScoringResponse]:
        """Return the future answer; `headers` are for a script."""

    def ping(self) -> asyncio.Future[ScoringResponse]:
        """Return the future sign of life."""

    async def describe(self, version: str) -> ScoringResponse:
        """Return its OpenAPI document; of which `version`, 2 or 3, a script's server knows."""

    async def ended(self) -> int:
        """Wait for its end."""

    async def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """A deployment's settings, times in seconds.

    `start_s` is how long a process may take until it serves. `pause_s` is the wait before a dead one is replaced; it
    doubles with each death until one has served for `steady_s`.
    """

    instances: int = 1
    concurrent: int = 1
    timeout_s: float = 5.0
    start_s: float = 310.0
    probe_period_s: float = 10.0
    probe_timeout_s: float = 2.0
    probe_failures: int = 30
    pause_s: float = 0.25
    steady_s: float = 10.0


class _Killed(RolloutFailed):
    """A process was killed while it started: by someone or for memory, and not by what it did itself."""


class _RequestTimer:
    """What a request has left of its time. It can be paused."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout
        self._left_s: float | None = None  # seconds, while it is paused

    def pause(self) -> None:
        """Stop counting."""
        when = self._timeout.when()
        if self._left_s is None and when is not None and not self._timeout.expired():
            self._left_s = when - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)

    def resume(self) -> None:
        """Count again, from where it was paused."""
        if self._left_s is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left_s)
            self._left_s = None


class _Instance:
    """One place for a process; the process in it may change."""

    def __init__(self) -> None:
        self.backend: Backend | None = None
        self.serves = False  # from its being ready to the first sign of its end
        self.busy = 0
        self.asked: set[_RequestTimer] = set()  # of the requests that its process has


def _send(
    body: bytes, content_type: str, headers: Mapping[str, str], backend: Backend
) -> asyncio.Future[ScoringResponse]:
    return backend.ask(body, content_type, headers)


class Pool:
    """Serves requests with `settings.instances` processes; `make` returns a new one, `say` writes the log.

    A process that dies costs the requests that it had. Those that wait go on waiting until another is up in its place,
    and that is not counted as their time, which on Azure too is the model's ("The model execution took longer than the
    timeout", 408): unless it ends by itself while it starts, or is not up after `settings.start_s`.
    """

    def __init__(self, make: Callable[[], Backend], settings: PoolSettings, say: Callable[[str], None]) -> None:
        self._make = make
        self.settings = settings
        self._say = say
        self._instances = [_Instance() for _ in range(settings.instances)]
        self._waiters: deque[asyncio.Future[_Instance]] = deque()
        self._waiting: set[_RequestTimer] = set()  # of the requests that no process has
        self._replacing: dict[_Instance, asyncio.TimerHandle] = {}  # and how long that is waited for
        self._supervisors: list[asyncio.Task[None]] = []
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        """Bring all processes up. Raises `RolloutFailed` when one does not come."""
        starts = [asyncio.ensure_future(self._start()) for _ in self._instances]
        try:
            backends = await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            for result in await asyncio.gather(*starts, return_exceptions=True):
                if not isinstance(result, BaseException):
                    await result.stop()
            raise
        for instance, backend in zip(self._instances, backends, strict=True):
            self._put_in_service(instance, backend)
            self._supervisors.append(asyncio.create_task(self._supervise(instance)))

    async def score(self, body: bytes, content_type: str, headers: Mapping[str, str] = NO_HEADERS) -> ScoringResponse:
        """Return the model's answer; `headers`, keys in lower case, are for a script.

        Raises `TooBusy`, `ProcessDied`; `TimeoutError` past the request's time.
        """
        # Azure ML holds twice as many requests as may run at once (its table of status codes, 429).
        if self._pending >= 2 * self.settings.concurrent * self.settings.instances:
            raise TooBusy("Too many pending requests.")
        self._pending += 1
        self._idle.clear()
        try:
            async with asyncio.timeout(self.settings.timeout_s) as timeout:
                return await self._ask(partial(_send, body, content_type, headers), _RequestTimer(timeout))
        finally:
            self._pending -= 1
            self._note_idle()

    async def describe(self, version: str) -> ScoringResponse:
        """Return the OpenAPI document. Raises `ProcessDied`; `TimeoutError` past a request's time."""
        backend = next((one.backend for one in self._instances if one.serves and one.backend is not None), None)
        if backend is None:
            raise NotSent("No process of the deployment is up.")
        async with asyncio.timeout(self.settings.timeout_s):
            return await backend.describe(version)

    async def drain(self) -> None:
        """Let every request that was taken have its answer, then end the processes.

        A model that hangs is waited for no longer than its requests are, and so is one that is started anew.
        """
        while not self._idle.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.timeout_s):
                    await self._idle.wait()
            if not self._replacing:
                break
        await self.stop()

    async def stop(self) -> None:
        """End the processes."""
        for instance in list(self._replacing):
            self._resume_timers(instance)
        for supervisor in self._supervisors:
            supervisor.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        await asyncio.gather(*(one.backend.stop() for one in self._instances if one.backend is not None))

    async def _ask(
        self, put: Callable[[Backend], asyncio.Future[ScoringResponse]], timer: _RequestTimer
    ) -> ScoringResponse:
        while True:
            instance = await self._take(timer)
            backend = instance.backend
            if backend is None:
                self._give_back(instance)
                continue
            answer = put(backend)
            # Not when the caller gives up: the process is busy until it has answered.
            answer.add_done_callback(partial(self._answered, instance, backend))
            instance.asked.add(timer)
            try:
                return await asyncio.shield(answer)
            except NotSent:  # the process was gone already: the request waits for the next one
                continue
            finally:
                instance.asked.discard(timer)
                timer.resume()

    async def _take(self, timer: _RequestTimer) -> _Instance:
        ready = [one for one in self._instances if one.serves and one.busy < self.settings.concurrent]
        if ready and not self._waiters:
            instance = min(ready, key=lambda one: one.busy)
            instance.busy += 1
            return instance
        turn: asyncio.Future[_Instance] = asyncio.get_running_loop().create_future()
        self._waiters.append(turn)
        self._waiting.add(timer)
        if self._replacing:
            timer.pause()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(turn.result())
            raise
        finally:
            self._waiting.discard(timer)
            timer.resume()

    def _answered(self, instance: _Instance, backend: Backend, done: asyncio.Future[ScoringResponse]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, ProcessDied) and instance.backend is backend and instance.serves:
            self._take_out_of_service(instance)  # its supervisor will see, but the next request must not be sent there
            if isinstance(error, WorkerDied):
                self._await_worker(instance, backend)
        self._give_back(instance)

    def _put_in_service(self, instance: _Instance, backend: Backend) -> None:
        """Put a process that is up into its place."""
        instance.backend = backend
        backend.watch(partial(self._worker_lost, instance, backend))
        self._serve(instance)

    def _worker_lost(self, instance: _Instance, backend: Backend) -> None:
        if instance.backend is backend and instance.serves:
            self._take_out_of_service(instance)
            self._await_worker(instance, backend)

    def _take_out_of_service(self, instance: _Instance) -> None:
        """Send nothing more to a process that is gone, and let what waits for another wait."""
        instance.serves = False
        if instance not in self._replacing:
            end = asyncio.get_running_loop().call_later(self.settings.start_s, self._resume_timers, instance)
            self._replacing[instance] = end
        for timer in self._timers():
            timer.pause()

    def _resume_timers(self, instance: _Instance) -> None:
        """Count the time of those that wait: a process is up again, or there is none to be waited for."""
        end_of_wait = self._replacing.pop(instance, None)
        if end_of_wait is not None:
            end_of_wait.cancel()
        if not self._replacing:
            for timer in self._timers():
                timer.resume()

    def _timers(self) -> Iterator[_RequestTimer]:
        yield from self._waiting
        # What else a server has whose worker died lies in its socket until there is another.
        for instance in self._replacing:
            yield from instance.asked

    def _await_worker(self, instance: _Instance, backend: Backend) -> None:
        """Ask the server again once it has a worker again."""

        def there(sign: asyncio.Future[ScoringResponse]) -> None:
            if instance.backend is backend and not sign.cancelled() and sign.exception() is None:
                self._serve(instance)

        backend.ping().add_done_callback(there)

    def _serve(self, instance: _Instance) -> None:
        instance.serves = True
        self._resume_timers(instance)
        self._wake(instance)

    def _give_back(self, instance: _Instance) -> None:
        instance.busy -= 1
        self._wake(instance)
        self._note_idle()

    def _wake(self, instance: _Instance) -> None:
        while self._waiters and instance.serves and instance.busy < self.settings.concurrent:
            turn = self._waiters.popleft()
            if not turn.done():
                instance.busy += 1
                turn.set_result(instance)

    def _note_idle(self) -> None:
        if self._pending == 0 and all(one.busy == 0 for one in self._instances):
            self._idle.set()

    async def _start(self) -> Backend:
        backend = self._make()
        try:
            async with asyncio.timeout(self.settings.start_s):
                await backend.start()
        except (ProcessDied, TimeoutError) as error:
            await backend.stop()
            if isinstance(error, TimeoutError):
                raise RolloutFailed(f"it was not ready after {self.settings.start_s:.0f} s") from error
            code = await backend.ended()
            kind = _Killed if code == -signal.SIGKILL else RolloutFailed
            raise kind(f"it ended with code {code}") from error
        except BaseException:
            await backend.stop()
            raise
        return backend

    async def _supervise(self, instance: _Instance) -> None:
        """Start the process anew each time that it ends, after a pause."""
        pause, loop = self.settings.pause_s, asyncio.get_running_loop()
        while True:
            if instance.backend is not None:
                since = loop.time()
                reason = await self._until_end(instance.backend)
                self._take_out_of_service(instance)
                backend, instance.backend = instance.backend, None
                await backend.stop()
                if loop.time() - since >= self.settings.steady_s:
                    pause = self.settings.pause_s
                self._say(f"The model's process {reason}; it is started again in {pause:g} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            try:
                backend = await self._start()
            except RolloutFailed as error:
                self._say(f"The model's process did not come up: {error}; it is started again in {pause:g} s.")
                if not isinstance(error, _Killed):
                    self._resume_timers(instance)
                continue
            self._say("The model's process is up again.")
            self._put_in_service(instance, backend)

    async def _until_end(self, backend: Backend) -> str:
        """Return how a process ended: by itself, or by failing its liveness probe."""
        ending = asyncio.ensure_future(backend.ended())
        failures = 0
        try:
            while failures < self.settings.probe_failures:
                if (await asyncio.wait([ending], timeout=self.settings.probe_period_s))[0]:
                    return f"ended with code {ending.result()}"
                alive, _ = await asyncio.wait([backend.ping()], timeout=self.settings.probe_timeout_s)
                failures = 0 if alive else failures + 1
        finally:
            ending.cancel()
        return f"failed {failures} liveness probes"
