"""How runs that do not wait for each other go on at the same time: a thread each, their events in one run."""

import queue
import threading
from collections.abc import Mapping
from typing import Generic, TypeVar

from mlgates.core.errors import MlgatesError
from mlgates.core.events import Event, Steps

T = TypeVar("T")


def side_by_side(runs: Mapping[str, Steps[T]]) -> Steps[dict[str, T]]:
    """Let `runs` go on at the same time; yield the events of all, and return each run's result by its name.

    When one fails the others still come to their end, so that nothing is left half done. Then its error is raised;
    of several, one that tells them all, with the exit code of the first.
    """
    told: queue.SimpleQueue[Event | _Ended[T]] = queue.SimpleQueue()
    for name, run in runs.items():
        # Daemons: Ctrl-C must end the program although an operation, on the workspace's side, goes on.
        threading.Thread(target=_drive, args=(name, run, told), name=name, daemon=True).start()
    ended: dict[str, _Ended[T]] = {}
    while len(ended) < len(runs):
        item = told.get()
        if isinstance(item, _Ended):
            ended[item.name] = item
        else:
            yield item
    errors = [error for name in runs if (error := ended[name].error) is not None]
    if errors:
        raise _joined(errors)
    return {name: ended[name].result[0] for name in runs}


class _Ended(Generic[T]):
    """The end of a run: its result, as the only member of a tuple, or its error."""

    def __init__(self, name: str, result: tuple[T, ...], error: BaseException | None = None) -> None:
        self.name = name
        self.result = result
        self.error = error


def _drive(name: str, run: Steps[T], told: "queue.SimpleQueue[Event | _Ended[T]]") -> None:
    try:
        while True:
            told.put(next(run))
    except StopIteration as end:
        told.put(_Ended(name, (end.value,)))
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        told.put(_Ended(name, (), error))


def _joined(errors: list[BaseException]) -> BaseException:
    first, *others = errors
    if not others or not all(isinstance(error, MlgatesError) for error in errors):
        return first
    joined = type(first)("\n".join(str(error) for error in errors))
    joined.__cause__ = first
    return joined
