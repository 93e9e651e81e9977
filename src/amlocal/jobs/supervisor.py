"""A small process between the server and a job: it sees that nothing of a job outlives the server, or the job.

Run as a script: `python -I -S supervisor.py GRACE [DESCRIPTOR ...] -- COMMAND ...`. Its standard input is a pipe that
the server holds open. A word in it means stop: SIGTERM to the job, and SIGKILL after GRACE seconds. Its end means that
the server was killed: SIGKILL at once, since the next server may start at any moment.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

_STDIN = 0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def _adopt_orphans() -> bool:
    """Have processes whose parent dies become children of this one, as Linux can; return whether they will.

    Without that, a process that left the job's process group (a daemon) is out of reach.
    """
    if not os.path.exists(_children_file()):  # noqa: PTH110 - pathlib would double the time that this takes to start
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _children_file() -> str:
    return f"/proc/self/task/{os.getpid()}/children"


def _children() -> list[int]:
    with open(_children_file(), encoding="ascii") as file:  # noqa: PTH123 - as above
        return [int(number) for number in file.read().split()]


def _signals() -> int:
    """Return a pipe that the numbers of signals come out of."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *_STOPS):
        signal.signal(number, lambda *_: None)  # a handler of any kind, so that the pipe is written
    return reader


def _kill(group: int, number: int) -> bool:
    """Send a signal to what is left of the group; False when nothing is."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


def _reap(job: int) -> int | None:
    """Take leave of children that have ended; return the job's exit code if it was one of them."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == job:
                code = os.waitstatus_to_exitcode(ended[1])
    return code


def _watch(job: int, signals: int, grace_s: float) -> int | None:
    """Wait until the job has ended, by itself or asked to; return its exit code, None when it must be killed."""
    deadline: float | None = None
    code: int | None = None
    while code is None or (deadline is not None and _kill(job, 0)):
        pause = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([_STDIN, signals], [], [], pause)
        numbers = os.read(signals, 4096) if signals in ready else b""
        word = os.read(_STDIN, 64) if _STDIN in ready else None
        if not ready or word == b"":
            break
        if deadline is None and (word or any(number in numbers for number in _STOPS)):
            _kill(job, signal.SIGTERM)
            deadline = time.monotonic() + grace_s
        ended = _reap(job)
        code = ended if code is None else code
    return code


def _kill_all(job: int, *, adopting: bool) -> int | None:
    """End what is left of the job, and wait for it; return its exit code if it had not ended by itself."""
    code = None
    _kill(job, signal.SIGKILL)
    while True:
        for child in _children() if adopting else ():
            os.kill(child, signal.SIGKILL)
        try:
            ended, status = os.waitpid(-1, 0)  # whoever had its children gone by now has left them to us
        except ChildProcessError:
            return code
        if ended == job:
            code = os.waitstatus_to_exitcode(status)


def main(grace_s: float, command: list[str], kept: list[int]) -> int:
    """Run `command` in a session of its own and return its exit code, 128 + n when signal n ended it.

    It gets the descriptors `kept` and no others.
    """
    adopting = _adopt_orphans()
    signals = _signals()
    # Held on to, since a Popen that is let go waits for its child itself.
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=kept, start_new_session=True)  # noqa: S603
    code = _watch(job.pid, signals, grace_s)
    killed = _kill_all(job.pid, adopting=adopting)
    code = code if code is not None else killed if killed is not None else -signal.SIGKILL
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    AT = sys.argv.index("--")
    sys.exit(main(float(sys.argv[1]), sys.argv[AT + 1 :], [int(number) for number in sys.argv[2:AT]]))
