"""Progress for tests that look at a run, disturb it or kill it, at any moment of it."""

from collections.abc import Callable

from mlgates.core.progress import Fact, Progress


class Killed(BaseException):
    """Ends a run as nothing in it expects."""


class Hearing(Progress):
    """Hands each fact to `hear`; the run waits, and ends with what `hear` raises."""

    def __init__(self, hear: Callable[[Fact], object]) -> None:
        super().__init__()
        self._hear = hear

    def tell(self, fact: Fact) -> None:
        self._hear(fact)


def step_of(fact: Fact) -> str:
    """The name of the step that a fact is about."""
    step = getattr(fact, "step", None)
    return step.name if step else ""


def when(kind: type[Fact], step: str, act: Callable[[], object]) -> Callable[[Fact], None]:
    """Hear facts of one kind about steps of one name."""

    def hear(fact: Fact) -> None:
        if isinstance(fact, kind) and step_of(fact) == step:
            act()

    return hear


def after(count: int, act: Callable[[], object]) -> Progress:
    """Do something at the fact of this number."""
    told = iter(range(1, count + 1))
    return Hearing(lambda _: act() if next(told, None) == count else None)


def kill() -> None:
    raise Killed


def killed(run: Callable[[Progress], object], count: int) -> bool:
    """Let a run go until it has told so many facts, and no further; False when it has ended before."""
    try:
        run(after(count, kill))
    except Killed:
        return True
    return False
