"""The suite for a training job passes a project that is right, and finds what is planted in what it records."""

import pytest

from tests.contract.mlgates.suites.planted import failed, loaded, project, run
from tests.contract.mlgates.suites.shop_project import MAIN, TRAINING, spoilt, write_project

pytest_plugins = ("pytester",)
__all__ = ["loaded", "project"]
JOB = "tests/unit/test_job.py"


def test_a_job_that_is_right_passes(project: pytest.Pytester) -> None:
    write_project(project.path)
    run(project, JOB).assert_outcomes(passed=11)


def test_a_job_needs_no_declared_function(project: pytest.Pytester) -> None:
    write_project(project.path)
    (project.path / "mlops" / "training.yml").unlink()
    result = run(project, JOB, "ends_well or as_the_fitted_one")
    result.assert_outcomes(passed=1, skipped=1, deselected=9)


FLIPPED = "def flipped(model):\n    model['model'].coef_ *= -1\n    return model\n\n\ndef save("
FAULTS = {
    "no signature": (
        "the_model_has_a_signature",
        "the model has no signature",
        [("            signature=signature,\n            input_example=rows,\n", "")],
    ),
    "another artifact path": (
        "the_model_is_where_it_is_registered_from",
        "no model lies at the artifact path model*but at classifier",
        [('os.environ["MODEL_PATH"]', '"classifier"')],
    ),
    "import from outside the snapshot": (
        "the_job_needs_nothing_but_its_snapshot",
        "a job does not have it: No module named 'elsewhere'",
        [("import mlflow\n", "import elsewhere\nimport mlflow\n")],
    ),
    "held-out rows untold": (
        "held_out_rows_are_named",
        "the run has no artifact held_out.json",
        [('        mlflow.log_dict(held_out, "held_out.json")\n', "")],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(project: pytest.Pytester, fault: str) -> None:
    name, told, changes = FAULTS[fault]
    (project.path / "elsewhere.py").touch()
    write_project(project.path, TRAINING, spoilt(MAIN, *changes))
    result = run(project, JOB, name)
    assert name in failed(result)
    result.stdout.fnmatch_lines([f"*{told}*"])


def test_each_of_several_faults_is_found(project: pytest.Pytester) -> None:
    (project.path / "elsewhere.py").touch()
    here = f"import sys\n\nimport mlflow\n\nsys.path.append({str(project.path)!r})\nimport elsewhere\n"
    changes = [
        ("import mlflow\n", here),
        ("            input_example=rows,\n", ""),
        ('f"{name}=={version(name)}"', "name"),
        ("log_metrics(result.metrics)", "log_metrics({**result.metrics, 'accuracy': 0.99})"),
        ("            result.model,\n", "            flipped(result.model),\n"),
        ("def save(", FLIPPED),
    ]
    write_project(project.path, TRAINING, spoilt(MAIN, *changes))
    result = run(project, JOB)
    assert failed(result) == {
        "the_job_needs_nothing_but_its_snapshot",
        "the_model_has_an_input_example_that_it_predicts",
        "the_requirements_are_pinned",
        "logged_metrics_are_those_of_the_held_out_rows",
        "the_logged_model_predicts_as_the_fitted_one",
    }
    result.stdout.fnmatch_lines(["*modules from outside of the snapshot: */elsewhere.py*"])
    result.stdout.fnmatch_lines(["*not pinned: mlflow, pandas*"])
