import asyncio
import os
import sys

import pytest

from amlocal.online import deployment_logs
from amlocal.online.deployment_logs import DeploymentLog, capture_output


def run(log: DeploymentLog, program: str) -> None:
    """Run a program whose output is listened to."""

    async def within() -> None:
        output = await capture_output(log)
        with output.writer() as end:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=end, stderr=end)
        await process.wait()
        async with asyncio.timeout(10):
            await output.finish()

    asyncio.run(within())


def test_the_last_words_of_a_process_are_heard(log: DeploymentLog) -> None:
    run(log, "import sys; print('x' * 300_000); sys.exit('the end')")
    assert log.tail(1) == "the end"


def test_a_process_that_was_left_behind_is_listened_to_no_longer(
    log: DeploymentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment_logs, "_FINAL_OUTPUT_S", 0.01)
    reader, writer = os.pipe()
    program = f"import os; os.close({writer}); print('parent', flush=True); os.fork() or os.read({reader}, 1)"

    async def within() -> None:
        heard = await capture_output(log)
        with heard.writer() as end:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, stdout=end, pass_fds=[reader, writer]
            )
        await process.wait()
        await heard.finish()

    asyncio.run(within())
    os.close(writer)
    os.close(reader)
    assert log.tail(1) == "parent"
