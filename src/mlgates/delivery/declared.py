"""How a declared asset is read from its YAML file, with our names put over the file's own."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from azure.ai.ml.exceptions import MlException
from marshmallow.exceptions import ValidationError

from mlgates.config.project import Project
from mlgates.core.errors import ConfigurationError
from mlgates.delivery.refusals import one_line

T = TypeVar("T")

# The SDK reports schema errors as prose around JSON, for jobs as JSON within JSON.
_COMPLAINT = re.compile(r'"(\w+)": \[\s*"([^"]+)"')


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
