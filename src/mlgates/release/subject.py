"""What a decision is about: a model version with the checksum of its files, as they are now."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.contract.model_folder import UnusableSignature, read_contract
from mlgates.contract.signature import ModelContract
from mlgates.core.errors import NotAllowed
from mlgates.core.files import sha256_of_path
from mlgates.core.gates import GateRecord
from mlgates.core.tags import verdict_of
from mlgates.core.values import AssetVersion
from mlgates.delivery.candidates import find_model
from mlgates.delivery.deployed import deployed_checksum
from mlgates.delivery.downloads import download_model
from mlgates.delivery.gate_tags import read_record

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

GATE = "prod"
"""The gate that a version has to pass before anyone is asked."""


@dataclass(frozen=True, slots=True)
class Content:
    """A model version and what is in it."""

    model: AssetVersion
    sha256: str
    """Empty when nobody looked."""
    contract: ModelContract | None = None
    """What its signature promises; None when nobody looked, or when no request can be drawn from it."""

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        return f"{self.model}, content {self.sha256[:12]}"


def content_of(client: "MLClient", settings: Settings, version: str | None) -> Content:
    """Return a version of the model, by default the newest, with the checksum of its files. Raises `AssetMissing`."""
    model = find_model(client, settings, version)
    with tempfile.TemporaryDirectory() as folder:
        files = download_model(client, model, Path(folder))
        return Content(model, sha256_of_path(files), _contract(files))


def _contract(files: Path) -> ModelContract | None:
    try:
        return read_contract(files)
    except UnusableSignature:
        return None


def check_unchanged(client: "MLClient", settings: Settings, content: Content) -> Content:
    """Look at the files of a version again; return it. Raises `NotAllowed` when they are not `content` any more."""
    now = content_of(client, settings, content.model.version)
    if now.sha256 != content.sha256:
        raise NotAllowed(
            f"{content.model} has changed on its way: its files give {now.sha256[:12]}, and {content.sha256[:12]} "
            "was to be released; look who writes to the storage, and register what you trained as a new version"
        )
    return now


def check_deployed(client: "MLClient", settings: Settings, content: Content, deployment: str) -> Content:
    """Look at what an online deployment holds, and at the files that it was made of; return the content.

    Raises `NotAllowed` when either is not `content`.
    """
    held = deployed_checksum(client, settings.online_endpoint, deployment)
    if held is not None and held != content.sha256:
        raise NotAllowed(
            f"{settings.online_endpoint}/{deployment} holds other files than {content.model}: they give {held[:12]}, "
            f"and {content.sha256[:12]} was to be released; look who writes to the storage"
        )
    return check_unchanged(client, settings, content)


def check_gate(content: Content) -> None:
    """Raise `NotAllowed` unless the newest verdict of the gate on a version is that it passed."""
    passed = verdict_of(content.model.tags, GATE)
    if not passed:
        told = f"has not been through gate {GATE}" if passed is None else f"did not pass gate {GATE}"
        raise NotAllowed(f"{content.model} {told}: run 'mlgates gate {GATE} --version {content.model.version}'")


def passed_record(client: "MLClient", content: Content, *, named: str | None = None) -> GateRecord:
    """Return the record by which a version passed the gate with the files that it has now.

    Raises `NotAllowed` when there is none, when it is not the record that was `named` (by the first digits of its
    checksum), or when it is about other files.
    """
    check_gate(content)
    record = read_record(client, content.model, GATE)
    if record is None or not record.passed or record.candidate is None:
        raise NotAllowed(f"{content.model} has no record of a passed gate {GATE}: run 'mlgates gate {GATE}'")
    if named and not record.sha256.startswith(named):
        raise NotAllowed(
            f"{content.model}: the newest record of gate {GATE} is {record.sha256[:12]}, not {named[:12]}: "
            "look at the newest, and decide on that"
        )
    if record.candidate.sha256 != content.sha256:
        raise NotAllowed(
            f"{content.model} has changed since gate {GATE}: its files give {content.sha256[:12]}, the record tells of "
            f"{record.candidate.sha256[:12]}; register what you trained as a new version"
        )
    return record
