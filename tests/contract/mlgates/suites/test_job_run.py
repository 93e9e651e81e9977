"""How the training job suite runs a job: with its own variables, whatever workspace the test process looks at."""

from pathlib import Path

import pandas as pd
import pytest

from mlgates.suites.job_run import DeclaredJob, start_job

LEADING = (
    "ARM_CLOUD_METADATA_URL",
    "AZUREML_CURRENT_CLOUD",
    "AZURE_TOKEN_CREDENTIALS",
    "IDENTITY_ENDPOINT",
    "MLFLOW_RUN_ID",
)


@pytest.mark.parametrize("name", LEADING)
def test_a_job_is_led_to_no_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://127.0.0.1:1/elsewhere")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").touch()
    (tmp_path / "work").mkdir()
    job = DeclaredJob(f'echo "[${name}]"', tmp_path / "code", {}, (), {}, "model")
    run = start_job(job, pd.DataFrame({"a": [1]}), tmp_path / "work").wait()
    assert "[]" in run.output
