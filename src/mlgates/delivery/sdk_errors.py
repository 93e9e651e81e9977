"""How the SDK's errors become ours: one line that says what was asked, what came back and the way out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from azure.ai.ml.exceptions import MlException
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from mlgates.config.settings import Settings, Target
from mlgates.core.errors import AssetMissing, MlgatesError, WorkspaceRefused, WorkspaceUnavailable

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_COMPLAINT = "(x) "


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
    complaint = next((line.removeprefix(_COMPLAINT) for line in lines if line.startswith(_COMPLAINT)), None)
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
