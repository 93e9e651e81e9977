"""A small process between the server and a job: it sees that nothing of a job outlives the server, or the job.

Run as a script: `python -I -S warden.py GRACE -- COMMAND ...`. Its standard input is a pipe that the server holds
open and never writes to. End of file there means stop, be it that the server asked or that it was killed.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys


def _kill(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # the last of them may just have ended
        os.killpg(group, number)


def main(grace_s: float, command: list[str]) -> int:
    """Run `command` in a session of its own and return its exit code, 128 + n when signal n ended it."""
    wake_reader, wake_writer = os.pipe()
    for end in (wake_reader, wake_writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler of any kind, so that the wake-up pipe is written
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - the job itself
    watched = [sys.stdin.fileno(), wake_reader]
    timeout: float | None = None
    while child.poll() is None:
        ready, _, _ = select.select(watched, [], [], timeout)
        if wake_reader in ready:
            os.read(wake_reader, 4096)
        elif not ready:
            _kill(child.pid, signal.SIGKILL)
            timeout = None
        if watched[0] != wake_reader and watched[0] in ready:
            _kill(child.pid, signal.SIGTERM)
            watched, timeout = [wake_reader], grace_s
    _kill(child.pid, signal.SIGKILL)  # what the job left running in the background ends with it
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[3:]))
