"""Waiting for work that must not be left half done."""

import asyncio
import contextlib
from typing import Any


async def settle(work: asyncio.Future[Any]) -> None:
    """Wait until `work` has ended, however often this task is cancelled meanwhile; what came of it stays in `work`.

    Cancellations are dropped here: the caller has one on its way already, or is past the point where it would matter.
    """
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # looked at, so that asyncio does not report it as forgotten
