"""gates.yml, and each way in which it can be wrong: one line that says where, and what would be right."""

from pathlib import Path

import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.gates.checks import BUILT_IN, CHECK_TYPES
from mlgates.gates.declaration import GATES, Gates, read_gates

ROOT = Path(__file__).parents[4]
SHOWN = "mlops/gates.yml"
LABEL = "evaluation: {label: Diabetic}\n"


def read(folder: Path, text: str) -> Gates:
    file = folder / "gates.yml"
    file.write_text(text)
    return read_gates(file, SHOWN)


def test_the_projects_own_declares_every_gate_and_every_check() -> None:
    declared = read_gates(ROOT / SHOWN, SHOWN)
    assert tuple(declared.gates) == GATES
    assert {planned.kind for gate in declared.gates.values() for planned in gate.checks} == set(BUILT_IN)


def test_the_gate_of_a_commit_wants_no_model() -> None:
    declared = read_gates(ROOT / SHOWN, SHOWN).gates
    assert [name for name, gate in declared.items() if gate.wants_model] == ["dev", "prod"]


def test_a_check_without_settings_has_the_defaults(tmp_path: Path) -> None:
    (planned,) = read(tmp_path, f"{LABEL}prod: {{calibration: }}").gates["prod"].checks
    assert planned.config == CHECK_TYPES["calibration"].config()


def test_a_check_can_only_warn(tmp_path: Path) -> None:
    checks = read(tmp_path, f"{LABEL}prod: {{size: , calibration: , warn_only: [size]}}").gates["prod"].checks
    assert {planned.kind: planned.warn_only for planned in checks} == {"size": True, "calibration": False}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "mlops/gates.yml: a gate is a key (qa, dev, prod) with its checks under it"),
        ("- prod", "mlops/gates.yml: a gate is a key (qa, dev, prod) with its checks under it"),
        ("prod: {size: }", "'evaluation' is missing: say which column is predicted (evaluation.label)"),
        ("evaluation: {lable: x}", "mlops/gates.yml, evaluation"),
        (f"{LABEL}prd: {{size: }}", "there is no gate 'prd'. Did you mean 'prod'?"),
        (f"{LABEL}prod:", "mlops/gates.yml, prod: a gate has checks. Known: calibration, champion"),
        (f"{LABEL}prod: {{fairnes: }}", "mlops/gates.yml, prod: there is no check 'fairnes'. Did you mean 'fairness'?"),
        (f"{LABEL}prod: {{size: {{max_md: 3}}}}", "prod.size: unknown key 'max_md'. Did you mean 'max_mb'?"),
        (f"{LABEL}prod: {{metrics: {{auc: {{mn: 1}}}}}}", "prod.metrics.auc: unknown key 'mn'. Did you mean 'min'?"),
        (f"{LABEL}prod: {{size: {{max_mb: large}}}}", "prod.size.max_mb: input should be a valid number, not 'large'"),
        (f"{LABEL}prod: {{size: {{max_mb: '3'}}}}", "prod.size.max_mb: input should be a valid number, not '3'"),
        (f"{LABEL}prod: {{size: {{max_mb: -1}}}}", "prod.size.max_mb: input should be greater than 0, not -1"),
        (f"{LABEL}prod: {{fairness: }}", "prod.fairness.groups: field required"),
        (f"{LABEL}prod: {{metrics: {{auc: {{}}}}}}", "prod.metrics.auc: give min, max or both"),
        (f"{LABEL}prod: {{metrics: {{auc: {{min: 2, max: 1}}}}}}", "prod.metrics.auc: min 2 is over max 1"),
        (
            f"{LABEL}prod: {{champion: {{metric: acu}}}}",
            "prod.champion.metric: there is no score 'acu'. Did you",
        ),
        (f"{LABEL}prod: {{size: , warn_only: size}}", "prod.warn_only: a list of checks"),
        (f"{LABEL}prod: {{size: , warn_only: [sise]}}", "'sise' is not among this gate's checks. Did you mean 'size'?"),
        ("prod: [", "mlops/gates.yml is not YAML: while parsing a flow node"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mlops/gates\.yml is not there: a project declares its gates in it"):
        read_gates(tmp_path / "gates.yml", SHOWN)
