"""Whether what the model needs can be had, and what it would bring to life is trusted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.config.project import parse_yaml
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence
from mlgates.gates.resolution import Resolution

SKOPS, DATA = "skops", "data"
CODE = frozenset({"pickle", "torch", "keras"})
"""Forms that run code when they are loaded."""
REMEDIES = {"pickle": "save it with serialization_format='skops', or list pickle in supply_chain.trusted_formats"}
_BY_SUFFIX = {
    ".skops": SKOPS,
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".joblib": "pickle",
    ".dill": "pickle",
    ".pt": "torch",
    ".pth": "torch",
    ".keras": "keras",
    ".h5": "keras",
}
_MODELS = frozenset({".lgb", ".txt", ".xgb", ".ubj", ".json", ".cb", ".cbm", ".onnx", ".safetensors"})
"""Endings of models that are data; told beside the others."""


class SupplyChainConfig(Strict):
    """Which types a model may hold beyond those that skops trusts by itself."""

    trusted_types: list[str] = Field(default_factory=list)
    """By full name: `sklearn.tree._tree.Tree`."""
    trusted_formats: list[Literal["pickle", "torch", "keras"]] = Field(default_factory=list)
    """Forms of storage that run code when they are loaded and are trusted all the same, such as those of a pyfunc."""


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
    stored = stored_formats(model.folder)
    loose = {file: form for file, form in stored.items() if form in CODE and form not in config.trusted_formats}
    if loose:
        file, form = next(iter(loose.items()))
        return CheckResult(
            name="types",
            verdict=Verdict.FAILED,
            reason=f"{file} is stored by {form}, which runs any code when it is loaded",
            limit="no stored code, trusted types only",
            remedy=REMEDIES.get(form, "")
            or f"save it in a form that holds data only, or list {form} in supply_chain.trusted_formats",
            evidence={"stored": stored},
        )
    found: list[str] = []
    for file in (file for file, form in stored.items() if form == SKOPS):
        path = model.folder / file
        about = ["types", model.sha256, file]
        found += evidence.cache.once(about, lambda path=path: {"untrusted": untrusted_types(path)})["untrusted"]  # type: ignore[misc]
    strange = sorted(set(found) - set(config.trusted_types))
    by_form = "".join(f", and {form} as declared" for form in sorted(CODE.intersection(stored.values())))
    return CheckResult(
        name="types",
        verdict=Verdict.passed_if(not strange),
        reason=f"not trusted: {', '.join(strange)}" if strange else f"every type in it is trusted{by_form}",
        limit="trusted types only",
        remedy="leave them out of the model, or read their code and list them in supply_chain.trusted_types",
        evidence={"beyond_skops": sorted(set(found)), "stored": stored},
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


def stored_formats(folder: Path) -> dict[str, str]:
    """Return how each file of the MLflow model in `folder` is stored, by its path: `skops`, `pickle`, `data`, ...

    A file is known by what MLmodel says of it, else by the ending of its name, else by how it begins. Raises
    `CouldNotRun` when it is no MLflow model.
    """
    try:
        model: Any = parse_yaml((folder / "MLmodel").read_text(encoding="utf-8"))
        flavors = dict(model["flavors"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise CouldNotRun(
            f"MLmodel does not say how the model is stored ({type(error).__name__}: {error})",
            remedy="save it by mlflow.<flavor>.save_model",
        ) from error
    declared = {
        str(flavor["pickled_model"]): str(flavor.get("serialization_format", "pickle"))
        for flavor in flavors.values()
        if isinstance(flavor, dict) and flavor.get("pickled_model")
    }
    files = sorted(
        file for file in folder.rglob("*") if file.is_file() and "code" not in file.relative_to(folder).parts
    )
    named = {file.relative_to(folder).as_posix(): file for file in files}
    return {
        name: form
        for name, file in named.items()
        if (form := _form(declared.get(name, ""), file)) != DATA or file.suffix in _MODELS
    }


def _form(declared: str, file: Path) -> str:
    if declared:
        return SKOPS if declared == SKOPS else "pickle"
    if form := _BY_SUFFIX.get(file.suffix.lower()):
        return form
    with file.open("rb") as stream:
        beginning = stream.read(2)
    # Every pickle since Python 3.0 begins with its protocol, of 2 to 5.
    return "pickle" if len(beginning) > 1 and beginning[0] == 0x80 and 2 <= beginning[1] <= 5 else DATA


def untrusted_types(file: Path) -> list[str]:
    """Return the types in a skops file that skops itself does not trust. Raises `CouldNotRun` when it is none."""
    from skops.io import get_untrusted_types  # noqa: PLC0415 - brings in scikit-learn

    try:
        return sorted(get_untrusted_types(file=str(file)))
    except Exception as error:  # whatever a broken archive makes skops raise
        raise CouldNotRun(
            f"{file.name} cannot be read by skops: {type(error).__name__}: {error}", remedy="save the model again"
        ) from error
