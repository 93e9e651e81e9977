import asyncio

from amlocal.jobs.process import settle
from tests.unit.amlocal.jobs.workspace import run, settled


def test_however_often_the_caller_is_cancelled_the_work_goes_on() -> None:
    async def scene() -> bool:
        release = asyncio.Event()
        work = asyncio.create_task(release.wait())
        caller = asyncio.create_task(settle(work))
        for _ in range(3):
            await settled()
            caller.cancel()
        await settled()
        assert not caller.done()
        release.set()
        await caller
        return work.result()

    assert run(scene())


def test_a_failure_of_the_work_is_left_in_it() -> None:
    async def fail() -> None:
        raise OSError("full")

    async def scene() -> BaseException | None:
        work = asyncio.create_task(fail())
        await settle(work)
        return work.exception()

    assert str(run(scene())) == "full"


def test_work_that_was_cancelled_has_ended_too() -> None:
    async def scene() -> bool:
        work = asyncio.create_task(asyncio.sleep(60))
        work.cancel()
        await settle(work)
        return work.cancelled()

    assert run(scene())
