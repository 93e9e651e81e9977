"""One release or rollback of an endpoint at a time: the lock is an entry of the ledger, and its owner a process.

An owner is a process, by a random id. What it locked is taken over when it is known to be dead: on the same machine
by its start, or in CI by a later attempt of its run. Neither a run's id nor host and process number are enough, since
the jobs of a matrix share the one, and two containers may share the other.
"""

import functools
import getpass
import os
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlgates.core.errors import ConfigurationError, EndpointLocked
from mlgates.core.ledger import Action, Draft, Entry, lock_of

if TYPE_CHECKING:  # it imports azure-ai-ml, which takes seconds, and an owner is asked for in processes of their own
    from mlgates.delivery.workspace_ledger import Ledger

RELEASE, ROLLBACK, TIDYING = "release", "rollback", "tidying"
"""What an endpoint is locked for."""
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process that releases."""

    name: str
    """Shown to people: a person on a machine, or the run of a pipeline."""
    id: str
    """Random, and the same for as long as the process lives."""
    process: int = 0
    started: str = ""
    """The start of the process, as its machine counts; empty where that is unknown."""
    machine: str = ""
    """Identifies this boot and this namespace of process numbers; empty where nothing does."""
    run: str = ""
    """The run in CI whose attempts come one after the other."""
    attempt: int = 0

    @classmethod
    def here(cls, environ: Mapping[str, str]) -> Self:
        """Return this process."""
        process = os.getpid()
        name, run, attempt = _run(environ)
        return cls(
            name=name or f"{_user(environ)}@{socket.gethostname()}",
            id=_random(process),
            process=process,
            started=_start_of(process) or "",
            machine=_machine(),
            run=run,
            attempt=attempt,
        )

    def to_facts(self) -> dict[str, str]:
        """Return what a lock keeps of it."""
        facts = {
            "owner": self.name,
            "owner.id": self.id,
            "owner.process": str(self.process),
            "owner.started": self.started,
            "owner.machine": self.machine,
            "owner.run": self.run,
            "owner.attempt": str(self.attempt),
        }
        return {name: text for name, text in facts.items() if text}

    def may_take_over(self, facts: Mapping[str, str]) -> bool:
        """Return whether the owner in `facts` is this one, or one that is known to be dead."""
        if facts.get("owner.id") == self.id:
            return True
        if self.run and facts.get("owner.run") == self.run:
            # Attempts come one after the other; within one, the jobs of a matrix are side by side.
            return _number(facts, "owner.attempt") < self.attempt or self._is_dead(facts)
        return self._is_dead(facts)

    def _is_dead(self, facts: Mapping[str, str]) -> bool:
        process, started = _number(facts, "owner.process"), facts.get("owner.started")
        if not self.machine or facts.get("owner.machine") != self.machine or not process or not started:
            return False  # a process of elsewhere cannot be judged
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # another user's, and maybe hidden from us
            return False
        return _start_of(process) != started


def take_lock(
    ledger: "Ledger", endpoint: str, model: str, owner: Owner, *, reason: str, facts: Mapping[str, str] | None = None
) -> Entry:
    """Take the lock of `endpoint`, from nobody or from an owner that is dead; `reason` and `facts` say what for.

    Raises `EndpointLocked` with owner and age of the lock when another has it, or when a rollback has to be finished
    first.
    """

    def decide(entries: Sequence[Entry]) -> Draft:
        held = lock_of(entries, endpoint)
        if held is not None and not owner.may_take_over(held.facts):
            age = _age(ledger.clock() - datetime.fromisoformat(held.at))
            raise EndpointLocked(
                f"endpoint {endpoint} is locked by {held.by} ({held.reason} of {held.model}) since {age}: wait for its "
                f"end, or, when it is dead, break the lock with 'mlgates unlock --by NAME'"
            )
        if held is not None and held.reason == ROLLBACK != reason:
            raise EndpointLocked(
                f"a rollback of {endpoint} to {held.model}, begun by {held.by}, did not come to its end: "
                "finish it with 'mlgates rollback'"
            )
        return Draft(
            action=Action.LOCKED,
            by=owner.name,
            model=model,
            reason=reason,
            endpoint=endpoint,
            facts={**(facts or {}), **owner.to_facts()},
        )

    return ledger.append(decide)


def check_lock(entries: Sequence[Entry], lock: Entry) -> None:
    """Raise `EndpointLocked` unless `lock` is the present one of its endpoint: its number is the token of its owner."""
    held = lock_of(entries, lock.endpoint)
    if held is not None and (held.number, held.checksum) == (lock.number, lock.checksum):
        return
    later = [entry for entry in entries if entry.endpoint == lock.endpoint and entry.number > lock.number]
    since = f"{later[0].action} by {later[0].by} in entry {later[0].number}" if later else "is not in the ledger"
    raise EndpointLocked(
        f"endpoint {lock.endpoint} is not locked by this process any more (its lock, entry {lock.number}: {since}): "
        "nothing more is moved; see 'mlgates history'"
    )


def free_lock(ledger: "Ledger", endpoint: str, *, by: str, reason: str) -> Entry:
    """End the lock of `endpoint`, whoever has it. Raises `ConfigurationError` when nobody does."""

    def decide(entries: Sequence[Entry]) -> Draft:
        held = lock_of(entries, endpoint)
        if held is None:
            raise ConfigurationError(f"endpoint {endpoint} is not locked: there is nothing to break")
        return Draft(action=Action.UNLOCKED, by=by, model=held.model, reason=reason, endpoint=endpoint)

    return ledger.append(decide)


def _age(since: timedelta) -> str:
    seconds = max(0, round(since.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _run(environ: Mapping[str, str]) -> tuple[str, str, int]:
    """Return the run in CI by its name for people, what has attempts in it, and which attempt this is.

    GitHub runs again only what has come to its end, all jobs with the next attempt. Azure DevOps runs a stage again.
    """
    if run := environ.get("GITHUB_RUN_ID"):
        where = f"{environ.get('GITHUB_SERVER_URL', '')} {environ.get('GITHUB_REPOSITORY', '')}"
        return f"GitHub run {run}", f"github {where} {run}", _number(environ, "GITHUB_RUN_ATTEMPT")
    if run := environ.get("BUILD_BUILDID"):
        stage = environ.get("SYSTEM_STAGENAME", "")
        whole = f"{environ.get('SYSTEM_COLLECTIONURI', '')} {run} {stage}"
        return f"Azure DevOps run {run}", f"azure-devops {whole}", _number(environ, "SYSTEM_STAGEATTEMPT")
    return "", "", 0


@functools.cache
def _random(process: int) -> str:
    """Return an id; `process` is what it is kept for, so that a fork has another."""
    return f"{uuid.uuid4().hex}-{process}"


def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        # Containers of one machine share the boot, and each counts its processes from 1.
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        pass
    if _PROC.is_dir() or (uuid.getnode() >> 40) & 1:  # the latter: a random number, since there is no network card
        return ""
    return f"{socket.gethostname()} {uuid.getnode():012x}"


def _start_of(process: int) -> str | None:
    """Return when a process was started, None when it is not there, or has ended and nobody has looked."""
    if _PROC.is_dir():
        try:
            text = (_PROC / str(process) / "stat").read_text()
        except OSError:
            return None
        state, *fields = text.rpartition(")")[2].split()
        return None if state in {"Z", "X"} else fields[18]  # starttime, in ticks since the boot: proc(5)
    try:
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(process)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return shown.stdout.strip() or None


def _number(texts: Mapping[str, str], name: str) -> int:
    text = texts.get(name, "")
    return int(text) if text.isdecimal() else 0


def _user(environ: Mapping[str, str]) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in the password database
        return environ.get("USER", "unknown")
