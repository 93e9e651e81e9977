"""Progress for tests that look at a run, disturb it or kill it, at any moment of it."""

from collections.abc import Callable

from mlgates.core.progress import Event, Progress


class Killed(BaseException):
    """Ends a run as nothing in it expects."""


class ProgressListener(Progress):
    """Hands each event to `hear`; the run waits, and ends with what `hear` raises."""

    def __init__(self, hear: Callable[[Event], object]) -> None:
        super().__init__()
        self._hear = hear

    def emit(self, event: Event) -> None:
        self._hear(event)


def step_of(event: Event) -> str:
    """The name of the step that a event is about."""
    step = getattr(event, "step", None)
    return step.name if step else ""


def when(kind: type[Event], step: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Hear events of one kind about steps of one name."""

    def hear(event: Event) -> None:
        if isinstance(event, kind) and step_of(event) == step:
            act()

    return hear


def after(count: int, act: Callable[[], object]) -> Progress:
    """Do something at the event of this number."""
    heard = iter(range(1, count + 1))
    return ProgressListener(lambda _: act() if next(heard, None) == count else None)


def kill() -> None:
    raise Killed


def killed(run: Callable[[Progress], object], count: int) -> bool:
    """Let a run go until it has emitted so many events, and no further; False when it has ended before."""
    try:
        run(after(count, kill))
    except Killed:
        return True
    return False
