"""Which noise of azure-ai-ml is kept from people: exactly what is known, nothing else."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from typing import TextIO

# After every upload azure-ai-ml prints this, and an empty line, to standard error, progress bar or not.
_RESET_COLOUR = "\x1b[39m\n"


class WithoutReset(io.TextIOBase):
    """A text file that passes everything on to `target` but the SDK's colour reset and the newline after it."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._after_reset = False

    def write(self, text: str) -> int:
        """Pass `text` on, or drop it."""
        drop = text == _RESET_COLOUR or (self._after_reset and text == "\n")
        self._after_reset = text == _RESET_COLOUR
        if not drop:
            self._target.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the target."""
        self._target.flush()


@contextlib.contextmanager
def quiet_upload() -> Iterator[None]:
    """Keep the traces of an upload off standard error."""
    with contextlib.redirect_stderr(WithoutReset(sys.stderr)):
        yield


def hush() -> None:
    """Stop the remarks of Azure's libraries that say nothing new to a person."""
    # that a class of its own is experimental, on every YAML file
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    # where each artifact is downloaded to
    logging.getLogger("azure.ai.ml.operations._job_operations").setLevel(logging.WARNING)
    # every way of signing in that it tried: the error says so too, and is told in one line
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
