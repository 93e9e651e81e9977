"""What `mlgates contract` shows: what a model promises to its callers, and what a candidate would change for them."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlgates.cli.command import Session
from mlgates.contract.compatibility import BreakingChange
from mlgates.contract.compatibility import compare as compared
from mlgates.contract.model_folder import read_contract
from mlgates.contract.schema import openapi, request_schema, response_schema
from mlgates.contract.scoring_requests import formats_of, served_formats
from mlgates.contract.signature import Column, Input, ModelContract
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.values import ModelRef


@dataclass
class Models:
    """Finds models: a folder, or a version in the workspace, which is only connected to when one is asked for."""

    session: Session
    scratch: Path
    _client: Any = field(default=None, init=False)

    def contract_of(self, named: str | None) -> tuple[ModelRef | str, ModelContract]:
        """Return the model that `named` names, or the name of the folder, and its contract; None is the newest."""
        if named is not None and Path(named).is_dir():
            return Path(named).resolve().name, read_contract(Path(named))
        if named is not None and not named.isdigit():
            raise AssetMissing(f"{named}: no such folder, and no version number of {self.session.settings.model_name}")
        version, folder = self._downloaded(named)
        return ModelRef(self.session.settings.model_name, version), read_contract(folder)

    def _downloaded(self, version: str | None) -> tuple[str, Path]:
        self._client = self._client or self.session.connect()
        from mlgates.delivery.models import download_model, find_model  # noqa: PLC0415 - brings azure-ai-ml

        found = find_model(self._client, self.session.settings, version)
        return found.version, download_model(self._client, found, self.scratch / found.version)


def show(session: Session, named: str | None, *, schema: bool, as_openapi: bool) -> None:
    """Print the contract of a model, as text, as JSON Schema or as an OpenAPI document."""
    if schema and as_openapi:
        raise ConfigurationError("--schema and --openapi: choose one of the two")
    with _models(session) as models:
        model, contract = models.contract_of(named)
    if schema:
        session.say(_text({"request": request_schema(contract), "response": response_schema(contract)}))
    elif as_openapi:
        name, version = (model, "unregistered") if isinstance(model, str) else (model.name, model.version)
        session.say(_text(openapi(contract, title=name, version=version)))
    else:
        for line in _lines(str(model), contract):
            session.say(line)


def compare(session: Session, champion: str, candidate: str) -> None:
    """Print what changes for callers, a line a change. Raises `BreakingChange` when one of them breaks them."""
    with _models(session) as models:
        comparison = compared(*(models.contract_of(named)[1] for named in (champion, candidate)))
    for change in comparison.changes:
        session.say(str(change))
    if not comparison.compatible:
        raise BreakingChange(f"the candidate breaks callers of the champion: {comparison.summary}")
    session.say(comparison.summary if not comparison.changes else "compatible")


@contextmanager
def _models(session: Session) -> Iterator[Models]:
    with ExitStack() as stack:
        yield Models(session, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlgates-"))))


def _text(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _lines(title: str, contract: ModelContract) -> Iterator[str]:
    yield f"model    {title}"
    for each in contract.inputs:
        yield f"input    {_input(each)}"
    for each in contract.outputs:
        yield f"output   {_input(each)}"
    for param in contract.params:
        yield f"param    {param.name} {param.type}, {param.default!r} by default"
    served = served_formats(contract)
    for form in formats_of(contract):
        yield f"format   {form}{'' if form in served else ' (MLflow alone: a deployment answers 424)'}"


def _input(each: Input) -> str:
    name = f"{each.name} " if each.name else ""
    if isinstance(each, Column):
        return f"{name}{each.type}{'' if each.required else ', may be left out'}"
    return f"{name}{each.dtype} {list(each.shape)}"
