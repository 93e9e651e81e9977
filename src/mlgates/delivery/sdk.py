"""What azure-ai-ml reads, lists, raises and prints: as our values and in our words, its noise kept from our users."""

import contextlib
import importlib
import io
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO, TypeAlias, TypeVar, cast

from azure.ai.ml.exceptions import MlException
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from marshmallow.exceptions import ValidationError

from mlgates.config.project import Project
from mlgates.config.settings import Settings, Target
from mlgates.core.errors import AssetMissing, ConfigurationError, MlgatesError, WorkspaceRefused, WorkspaceUnavailable
from mlgates.core.values import AssetVersion

T = TypeVar("T")
# The SDK reports schema errors as prose around JSON, for jobs as JSON within JSON.
_COMPLAINT = re.compile(r'"(\w+)": \[\s*"([^"]+)"')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MARKED = "(x) "
# After every upload azure-ai-ml prints this, and an empty line, to standard error, progress bar or not.
_RESET_COLOUR = "\x1b[39m\n"
# What its progress bar writes; for the input of a batch job there is no way to ask for none.
_BAR = re.compile(r"\r?(\x1b\[\d+m)?Uploading .*|\r[\x1b\[\w ]*", re.DOTALL)
# azure-core names the threads so in which it asks after long-running operations.
_POLLER = "LROPoller"
Belongs: TypeAlias = Callable[[threading.Thread], bool]
"""Whether the printing of a thread is diverted."""
_LOCK = threading.Lock()


@contextmanager
def translate_sdk_errors(what: str) -> Iterator[None]:
    """Turn what azure-ai-ml raises while doing `what` ("register environment X") into an `MlgatesError`."""
    try:
        yield
    except AzureError as error:
        raise _translated(error, what) from error


@contextmanager
def reaching(settings: Settings) -> Iterator[None]:
    """Turn what azure-ai-ml raises at first contact into `WorkspaceUnavailable`, with the way out."""
    try:
        yield
    except AzureError as error:
        where = f"workspace {settings.aml_workspace_name} in resource group {settings.resource_group_name}"
        raise WorkspaceUnavailable(f"{where}: {_first_contact(error, settings)}") from error


def one_line(error: Exception) -> str:
    """Return an error's message on one line: the first, or the complaint of the SDK's own coloured reports."""
    message = _COLOUR.sub("", str(getattr(error, "message", None) or error))
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    complaint = next((line.removeprefix(_MARKED) for line in lines if line.startswith(_MARKED)), None)
    return complaint or (lines[0] if lines else type(error).__name__)


def _translated(error: AzureError, what: str) -> MlgatesError:
    said = f"cannot {what}: {one_line(error)}"
    match error:
        case ClientAuthenticationError():
            return WorkspaceUnavailable(f"{said} (sign in with 'az login')")
        case ServiceRequestError() | ServiceResponseError():
            return WorkspaceUnavailable(f"{said} (is the workspace still reachable?)")
        case ResourceNotFoundError():
            return AssetMissing(said)
        case _:
            return WorkspaceRefused(said)


def _first_contact(error: AzureError, settings: Settings) -> str:
    file = settings.sources["AML_WORKSPACE_NAME"]
    match error:
        case ClientAuthenticationError():
            return f"not signed in: run 'az login' ({one_line(error)})"
        case ResourceNotFoundError():
            return f"it does not exist: create it (infra/), or correct {file}"
        case HttpResponseError(status_code=403):
            return f"you may not read it: ask for the role AzureML Data Scientist ({one_line(error)})"
        case MlException() if settings.target is not Target.AZURE:
            return f"the local workspace does not answer: see 'amlocal status' ({one_line(error)})"
        case _:
            return f"no answer: {one_line(error)}"


def load_declared(loader: Callable[..., T], project: Project, file: Path, over: Mapping[str, object]) -> T:
    """Return what `loader` (such as azure-ai-ml's `load_job`) reads from the asset `file` of `project`.

    `over` maps dotted keys to values that win over the file's. Raises `ConfigurationError`, which names file and field.
    """
    shown = project.shown(file)
    if not file.is_file():
        raise ConfigurationError(f"{shown} is not there: a project declares the asset in it (README)")
    override: list[dict[str, Any]] = [{key: value} for key, value in over.items()]
    try:
        return loader(file, params_override=override)
    except ValidationError as error:
        raise ConfigurationError(f"{shown}: {complaints(str(error))}") from error
    except MlException as error:
        raise ConfigurationError(f"{shown}: {one_line(error)}") from error


def complaints(report: str) -> str:
    """Return the fields and what is wrong with them, `path: Missing data for required field`, from an SDK report."""
    plain = report.replace("\\n", "\n").replace('\\"', '"')
    found = [said if field == "_schema" else f"{field}: {said}" for field, said in _COMPLAINT.findall(plain)]
    # Only the first is kept of the alternatives that the SDK lists when a reference fits none of its forms.
    return "; ".join(dict.fromkeys(text.rstrip(".") for text in found[:2])) or report.splitlines()[0]


class SdkAsset(Protocol):
    """What the SDK's asset entities have in common."""

    name: str
    version: str
    tags: Mapping[str, str] | None


def list_versions(versions: Callable[[], Iterable[SdkAsset]]) -> Iterator[AssetVersion]:
    """Yield what the SDK call `versions` lists, newest first as the service does; an unknown asset has no versions."""
    try:
        for each in versions():
            yield AssetVersion(each.name, str(each.version), created=False, tags=dict(each.tags or {}))
    except ResourceNotFoundError:
        return


def find_version(versions: Callable[[], Iterable[SdkAsset]], tag: str, value: str) -> AssetVersion | None:
    """Return the newest of `versions` whose `tag` is `value`."""
    return next((version for version in list_versions(versions) if version.tags.get(tag) == value), None)


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
        """Return whether a person reads what is not diverted."""
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


def preload() -> None:
    """Import MLflow beside other work: it takes seconds, and a job takes longer."""
    threading.Thread(target=importlib.import_module, args=("mlflow",), name="preload mlflow", daemon=True).start()
