"""What the template makes for the name of this repository are its own files: the two do not drift apart."""

import re
from pathlib import Path
from typing import Any

import pytest

from mlgates.scaffold import rendering
from mlgates.scaffold.rendering import render

ROOT = Path(__file__).resolve().parents[3]
SAME = (
    *(f"infra/{name}" for name in ("main.bicep", "dev.bicepparam", "prod.bicepparam")),
    *(f"infra/modules/{name}.bicep" for name in ("foundation", "rights", "workspace")),
    *(f"mlops/config-infra-{name}.yml" for name in ("dev", "local", "prod")),
    ".github/actions/setup/action.yml",
    ".github/workflows/mlops-deploy-dev-ci.yml",
    ".github/workflows/mlops-deploy-prod-ct-cd.yml",
    ".github/workflows/mlops-qa-ci.yml",
    ".ado/mlops-deploy-dev-ci-pipeline.yml",
    ".ado/mlops-deploy-prod-ct-cd-pipeline.yml",
    ".ado/mlops-qa-ci-pipeline.yml",
    ".ado/templates/build.yml",
    ".ado/templates/nox.yml",
)
OWN = re.compile(r"^.*(-s contract|coverage: true).*\n|, contract(?=, gate)", re.MULTILINE)
"""Of this repository alone: it has a contract session, and publishes what the unit tests cover."""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kinds = ("numbers", "booleans", "categories", "texts", "dates", "left_out", "identifiers")
    answers: dict[str, Any] = {
        "name": "mlgates",
        "package": "example",
        "slug": "mlgates",
        "short": "mlgates",
        "ci": "both",
        "task": "binary",
        "python": "3.11",
        "label": {"name": "y", "dtype": "int64", "classes": [0, 1], "positive": 1},
        "data": {"source": "d.csv", "path": "data/d.csv", "rows": 1, "committed": True},
        "columns": {**{kind: [] for kind in kinds}, "count": 0},
        "limits": {"metrics": {}, "size_mb": 1, "splits": 1},
        "champion": {"metric": "auc", "margin": 0.01},
        "trusted_types": [],
        "warn_only": [],
    }
    folder = tmp_path_factory.mktemp("rendered")
    render(answers, folder)
    return folder


def shared(file: str) -> str:
    """Return a file of this repository without what it alone has."""
    return OWN.sub("", (ROOT / file).read_text("utf-8")).replace("-s coverage", "-s unit")


@pytest.mark.parametrize("file", SAME)
def test_a_file_is_what_the_template_makes(rendered: Path, file: str) -> None:
    assert (rendered / file).read_text("utf-8") == shared(file)


def test_every_pipeline_and_resource_of_the_template_is_compared() -> None:
    made = rendering.TEMPLATE / "project"
    files = (file for part in ("infra", ".github", ".ado") for file in (made / part).rglob("*.jinja"))
    names = {file.relative_to(made).as_posix().removesuffix(".jinja") for file in files}
    assert names - set(SAME) == {"infra/README.md"}
