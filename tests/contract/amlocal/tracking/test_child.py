"""MLflow's process, as far as it works without MLflow."""

import subprocess
import sys


def run(code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", f"import sys, time\nfrom amlocal.tracking.child import *\n{code}"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_process_ends_when_its_parents_end_of_the_pipe_closes() -> None:
    code = (
        "threading.Thread(target=end_with, args=(sys.stdin.buffer,)).start()\nprint('up', flush=True)\ntime.sleep(60)"
    )
    with run(code) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_only_the_port_reaches_the_parent() -> None:
    with run("announce(4711)\nprint('chatter', flush=True)") as process:
        output, errors = process.communicate(timeout=10)
    assert output == b"4711\n"
    assert b"chatter" in errors
