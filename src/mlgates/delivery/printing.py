"""Whose printing goes where: azure-ai-ml prints from several threads, and `contextlib` would redirect them all."""

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Literal, TextIO, TypeAlias

Belongs: TypeAlias = Callable[[threading.Thread], bool]
"""Tells whether a thread's printing is meant."""

_LOCK = threading.Lock()


class Switch(io.TextIOBase):
    """A text file that sends what a thread writes to that thread's target, and all else to `rest`."""

    def __init__(self, rest: TextIO) -> None:
        self.rest = rest
        self.targets: list[tuple[Belongs, TextIO]] = []

    def write(self, text: str) -> int:
        """Pass `text` on."""
        self._target().write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the target."""
        self._target().flush()

    def isatty(self) -> bool:
        """Tell whether a person reads what is not diverted."""
        return self.rest.isatty()

    def _target(self) -> TextIO:
        thread = threading.current_thread()
        return next((target for belongs, target in reversed(self.targets) if belongs(thread)), self.rest)


@contextlib.contextmanager
def diverted(
    name: Literal["stdout", "stderr"], make: Callable[[TextIO], TextIO], *, belongs: Belongs | None = None
) -> Iterator[None]:
    """Send what this thread (or those that `belongs` picks) prints to `make(the stream as it was)`.

    Others print where they did. Uses of it may overlap in any order; the last that ends gives the stream back.
    """
    me = threading.current_thread()
    with _LOCK:
        switch = getattr(sys, name)
        if not isinstance(switch, Switch):
            switch = Switch(switch)
            setattr(sys, name, switch)
        mine: tuple[Belongs, TextIO] = (belongs or (lambda thread: thread is me), make(switch.rest))
        switch.targets.append(mine)
    try:
        yield
    finally:
        with _LOCK:
            switch.targets.remove(mine)
            if not switch.targets and getattr(sys, name) is switch:
                setattr(sys, name, switch.rest)
