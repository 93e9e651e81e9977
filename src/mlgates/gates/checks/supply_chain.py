"""Whether what the model needs can be had, and what it would bring to life is trusted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.config.yaml_text import parse_yaml
from mlgates.core.gates import CheckResult, Verdict
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence
from mlgates.gates.resolution import Resolution

SKOPS = "skops"


class SupplyChainConfig(Strict):
    """Which types a model may hold beyond those that skops trusts by itself."""

    trusted_types: list[str] = Field(default_factory=list)
    """By full name: `sklearn.tree._tree.Tree`."""


def check(config: SupplyChainConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield `types`, `requirements` and `yanked`; the last two `CouldNotRun` without a package index."""
    yield _types(config, evidence)
    resolution = evidence.resolution(evidence.candidate)
    yield CheckResult(
        name="requirements",
        verdict=Verdict.passed_if(not resolution.conflict),
        reason=resolution.conflict or f"can be installed: {resolution.releases} releases in all",
        limit="can be installed together",
        remedy="pin versions that the index has and that go together, and train again",
    )
    if not resolution.conflict:
        yield _yanked(resolution)


def _types(config: SupplyChainConfig, evidence: Evidence) -> CheckResult:
    model = evidence.candidate
    form, file = stored_format(model.folder)
    if form != SKOPS:
        return CheckResult(
            name="types",
            verdict=Verdict.FAILED,
            reason=f"{file.name} is stored by {form}, which runs any code when it is loaded",
            limit="skops, trusted types only",
            remedy="save the model with serialization_format='skops'",
        )
    found = evidence.cache.once(["types", model.sha256], lambda: {"untrusted": untrusted_types(file)})["untrusted"]
    strange = sorted(set(found) - set(config.trusted_types))
    return CheckResult(
        name="types",
        verdict=Verdict.passed_if(not strange),
        reason=f"not trusted: {', '.join(strange)}" if strange else "every type in it is trusted",
        limit="trusted types only",
        remedy="leave them out of the model, or read their code and list them in supply_chain.trusted_types",
        evidence={"beyond_skops": list(found)},
    )


def _yanked(resolution: Resolution) -> CheckResult:
    yanked = resolution.yanked or {}
    listed = ", ".join(f"{release} ({reason})" for release, reason in yanked.items())
    return CheckResult(
        name="yanked",
        verdict=Verdict.passed_if(not yanked),
        reason=f"withdrawn by their makers: {listed}" if yanked else "no pinned release was yanked",
        figure=float(len(yanked)),
        limit="at most 0",
        remedy="pin another version of each, and train again",
        evidence=dict(yanked),
    )


def stored_format(folder: Path) -> tuple[str, Path]:
    """Return how the scikit-learn model in `folder` is stored (`skops`, `cloudpickle`, `pickle`), and its file.

    Raises `CouldNotRun` when it is no scikit-learn model of MLflow.
    """
    try:
        model: Any = parse_yaml((folder / "MLmodel").read_text(encoding="utf-8"))
        flavor = model["flavors"]["sklearn"]
        return str(flavor["serialization_format"]), folder / str(flavor["pickled_model"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise CouldNotRun(
            f"MLmodel does not say how the model is stored ({type(error).__name__}: {error})",
            remedy="save it by mlflow.sklearn.save_model",
        ) from error


def untrusted_types(file: Path) -> list[str]:
    """Return the types in a skops file that skops itself does not trust. Raises `CouldNotRun` when it is none."""
    from skops.io import get_untrusted_types  # noqa: PLC0415 - brings in scikit-learn

    try:
        return sorted(get_untrusted_types(file=str(file)))
    except Exception as error:  # whatever a broken archive makes skops raise
        raise CouldNotRun(
            f"{file.name} cannot be read by skops: {type(error).__name__}: {error}", remedy="save the model again"
        ) from error
