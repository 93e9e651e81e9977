"""How independent runs go on at the same time: a thread each, their events passed on by the caller's."""

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Generic, TypeAlias, TypeVar

from mlgates.core.errors import MlgatesError
from mlgates.core.progress import Event, Progress

T = TypeVar("T")
Run: TypeAlias = Callable[[Progress], T]


def side_by_side(runs: Mapping[str, Run[T]], *, progress: Progress) -> dict[str, T]:
    """Let `runs` go on at the same time, each with its own progress; return each run's result by its name.

    Their events arrive at `progress` in this thread, which needs no lock. When one fails the others still come to
    their end, so that nothing is left half done. Then its error is raised; of several, one that lists them all, with
    the exit code of the first.
    """
    events: queue.SimpleQueue[Event | _Ended[T]] = queue.SimpleQueue()
    for name, run in runs.items():
        own = _Own(events.put, progress, name if len(runs) > 1 else progress.run_name)
        # Daemons: Ctrl-C must end the program although an operation, on the workspace's side, goes on.
        threading.Thread(target=_drive, args=(name, run, own, events.put), name=name, daemon=True).start()
    ended: dict[str, _Ended[T]] = {}
    while len(ended) < len(runs):
        item = events.get()
        if isinstance(item, _Ended):
            ended[item.name] = item
        else:
            progress.emit(item)
    errors = [error for name in runs if (error := ended[name].error) is not None]
    if errors:
        raise _joined(errors)
    return {name: ended[name].result[0] for name in runs}


class _Own(Progress):
    """The progress of one run: hands its events over to the thread that waits for all."""

    def __init__(self, hand_over: Callable[[Event], object], progress: Progress, run_name: str) -> None:
        super().__init__(progress.clock, run_name=run_name)
        self._hand_over = hand_over

    def emit(self, event: Event) -> None:
        self._hand_over(event)


class _Ended(Generic[T]):
    """The end of a run: its result, as the only member of a tuple, or its error."""

    def __init__(self, name: str, result: tuple[T, ...], error: BaseException | None = None) -> None:
        self.name = name
        self.result = result
        self.error = error


def _drive(name: str, run: Run[T], own: Progress, end: "Callable[[_Ended[T]], object]") -> None:
    try:
        result = run(own)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        end(_Ended(name, (), error))
    else:
        end(_Ended(name, (result,)))


def _joined(errors: list[BaseException]) -> BaseException:
    first, *others = errors
    if not others or not all(isinstance(error, MlgatesError) for error in errors):
        return first
    joined = type(first)("\n".join(str(error) for error in errors))
    joined.__cause__ = first
    return joined
