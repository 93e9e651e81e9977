"""What azure-ai-ml prints and logs: kept from the terminal where it is noise, thread by thread."""

import contextlib
import io
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Literal, TextIO, TypeAlias, cast

# After every upload azure-ai-ml prints this, and an empty line, to standard error, progress bar or not.
_RESET_COLOUR = "\x1b[39m\n"
# What its progress bar writes; for the input of a batch job there is no way to ask for none.
_BAR = re.compile(r"\r?(\x1b\[\d+m)?Uploading .*|\r[\x1b\[\w ]*", re.DOTALL)
# azure-core names the threads so in which it asks after long-running operations.
_POLLER = "LROPoller"
Belongs: TypeAlias = Callable[[threading.Thread], bool]
"""Whether the printing of a thread is diverted."""
_LOCK = threading.Lock()


class WithoutTraces(io.TextIOBase):
    """A text file that passes everything on to `target` but the traces of an upload, and the newline after one."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._after_trace = False

    def write(self, text: str) -> int:
        """Pass `text` on, or drop it."""
        trace = text == _RESET_COLOUR or bool(_BAR.fullmatch(text))
        if not trace and not (self._after_trace and text == "\n"):
            self._target.write(text)
        self._after_trace = trace
        return len(text)

    def flush(self) -> None:
        """Flush the target."""
        self._target.flush()


@contextlib.contextmanager
def quiet_upload() -> Iterator[None]:
    """Keep the traces of an upload off standard error."""
    with diverted("stderr", lambda rest: cast("TextIO", WithoutTraces(rest))):
        yield


@contextlib.contextmanager
def quiet_operation() -> Iterator[None]:
    """Keep the dots off standard output that azure-ai-ml prints each time that it asks after an operation."""
    with diverted("stdout", lambda _: io.StringIO(), belongs=lambda thread: thread.name.startswith(_POLLER)):
        yield


def silence_sdk_logging() -> None:
    """Raise the log level of Azure's libraries where what they log is known already."""
    # that one of its classes is experimental, on every YAML file
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    # where each artifact and each model is downloaded to
    for operations in ("_job_operations", "_model_operations"):
        logging.getLogger(f"azure.ai.ml.operations.{operations}").setLevel(logging.WARNING)
    # that it looks for the endpoint before it deploys to it
    logging.getLogger("azure.ai.ml.operations._online_deployment_operations").setLevel(logging.WARNING)
    # every way of signing in that it tried: the error says so too, in one line
    logging.getLogger("azure.identity").setLevel(logging.ERROR)


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
