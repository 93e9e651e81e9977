"""Waiting for work that must not be left half done."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def in_thread(function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """Run a function in a thread of its own, for as long as it takes.

    `asyncio.to_thread` shares a few threads among all: minutes of building and copying there would hold up requests.
    """
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=function.__qualname__)
    work = asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
    executor.shutdown(wait=False)  # the thread ends with its one task
    return work


async def settle(work: asyncio.Future[Any]) -> None:
    """Wait until `work` has ended, however often this task is cancelled meanwhile; what came of it stays in `work`.

    Cancellations are dropped here: the caller has one on its way already, or is past the point where it would matter.
    """
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # looked at, so that asyncio does not report it as forgotten
