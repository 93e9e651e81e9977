"""Whole jobs in this process, their workers in threads."""

import json
import logging
import runpy
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from amlocal import batch_scoring
from amlocal.batch_scoring import driver
from amlocal.batch_scoring.batch_job import SETTINGS_VARIABLE, ScoringError, read
from tests.unit.amlocal.batch_scoring.conftest import NAMES, Job

pytestmark = pytest.mark.usefixtures("interpreter")
THIRD_FAILS = NAMES.replace("    return", "    assert '3' not in mini_batch[0][-1]\n    return")


def environ(job: Job, script: str) -> dict[str, str]:
    return {
        "AZURE_ML_INPUT_data": str(job.paths.data),
        "AZURE_ML_INPUT_model": str(job.paths.model),
        "AZURE_ML_OUTPUT_score": str(job.paths.output),
        SETTINGS_VARIABLE: json.dumps(asdict(job.lay_out(script))),
    }


def test_what_the_workspace_hands_over_is_read(job: Job) -> None:
    variables = environ(job, NAMES)
    assert read(variables) == (job.lay_out(NAMES), job.paths)


def test_with_summary_only_nothing_is_written(job: Job) -> None:
    job.score(NAMES, output_file=None)
    assert list(job.paths.output.iterdir()) == []


def test_no_part_of_the_output_is_left_beside_it(job: Job) -> None:
    job.score(NAMES)
    assert list(job.paths.output.parent.iterdir()) == [job.paths.output]


def test_a_mini_batch_that_goes_on_failing_loses_its_files_only(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    job.score(THIRD_FAILS, max_retries=1)
    assert "mini batch 1 failed after 2 tries: AssertionError" in caplog.text
    assert job.lines == ["1", "2", "5"]


def test_as_many_files_as_the_threshold_may_fail(job: Job) -> None:
    assert "2 files failed" in job.score(THIRD_FAILS, error_threshold=2).summary()


def test_more_files_than_the_threshold_fail_the_job_and_the_first_is_named(job: Job) -> None:
    with pytest.raises(ScoringError, match=r"2 files failed, and error_threshold is 1\. The first: 3: Asser"):
        job.score(THIRD_FAILS, error_threshold=1)


def test_a_job_none_of_whose_files_was_scored_fails_though_all_may(job: Job) -> None:
    with pytest.raises(ScoringError, match="no succeeded mini batch item returned from run"):
        job.score("def init(): pass\ndef run(mini_batch): raise ValueError('never')\n", error_threshold=-1)


def test_a_file_without_a_result_counts_as_failed(job: Job) -> None:
    with pytest.raises(ScoringError, match="2 files failed, and error_threshold is 1"):
        job.score("def init(): pass\ndef run(mini_batch): return mini_batch[1:]\n", error_threshold=1)


@pytest.mark.parametrize("returned", ["7", "None", "'text'", "{'a': 1}", "iter(mini_batch)"])
def test_what_is_no_list_fails_its_mini_batch(job: Job, returned: str) -> None:
    with pytest.raises(ScoringError, match="must return a list or a pandas DataFrame, not"):
        job.score(f"def init(): pass\ndef run(mini_batch): return {returned}\n", error_threshold=0)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init(): raise ValueError('no such model')\ndef run(mini_batch): return []\n", "no such model"),
        ("def init(): raise EOFError('cut off')\ndef run(mini_batch): return []\n", "cut off"),
        ("def run(mini_batch): return []\n", r"has no function init\(\)"),
        ("def init(): pass\n", r"has no function run\(\)"),
        ("def init(", "SyntaxError"),
    ],
)
def test_a_script_that_does_not_load_fails_the_job_with_the_reason(job: Job, script: str, reason: str) -> None:
    with pytest.raises(ScoringError, match=reason):
        job.score(script)


def test_a_script_that_is_not_there_is_named(job: Job) -> None:
    with pytest.raises(ScoringError, match=r"There is no scoring script other\.py in the deployment's code"):
        job.score(NAMES, script="other.py")


def test_an_input_without_files_fails_the_job(job: Job) -> None:
    job.files = {}
    with pytest.raises(ScoringError, match="There is no file to score in the input data"):
        job.score(NAMES)


def test_a_script_sees_files_in_folders_too(job: Job) -> None:
    job.files = {"a": "", "deep/down/b": ""}
    job.score(NAMES)
    assert job.lines == ["a", "b"]


def test_a_script_finds_model_and_output_by_the_variables_of_azure_s_documentation(job: Job) -> None:
    script = (
        "import os\ndef init(): pass\n"
        "def run(mini_batch): return [os.listdir(os.environ['AZUREML_MODEL_DIR'])[0], "
        "os.path.basename(os.environ['AZUREML_BI_OUTPUT_PATH'])]\n"
    )
    job.score(script, mini_batch_size=5)
    assert job.lines == ["model", "score"]


def test_a_script_can_read_the_logging_level_as_azure_s_documentation_has_it(job: Job) -> None:
    script = (
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--logging_level')\n"
        "level = parser.parse_known_args()[0].logging_level.upper()\ndef init(): pass\n"
        "def run(mini_batch): return [level]\n"
    )
    job.score(script, logging_level="debug", mini_batch_size=5)
    assert job.lines == ["DEBUG"]


def test_what_an_environment_lacks_for_azure_is_logged(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    job.score(NAMES)
    assert "lacks azureml-core" in caplog.text


def test_the_last_line_of_a_job_that_failed_says_why(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ScoringError("this is why")

    variables = environ(job, NAMES)
    monkeypatch.setattr(driver, "score", fail)
    assert driver.main(variables) == 1
    assert capsys.readouterr().err == "this is why\n"


def test_a_job_that_is_done_ends_well_and_sums_up(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    variables = environ(job, NAMES)
    outcome = job.score(NAMES)
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(driver, "score", lambda *_: outcome)
        assert driver.main(variables) == 0
    assert caplog.messages[-1] == "5 files, 5 results, 0 files failed"


def test_the_driver_s_folder_hides_no_module_of_the_script_s(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(batch_scoring.__file__).parent
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    runpy.run_path(str(folder / "__main__.py"), run_name="amlocal.batch_scoring.started")  # by a name that is measured
    assert str(folder) not in sys.path
    assert sys.path[0] == str(Path.cwd())
    assert sys.modules.pop("_batch_scoring").__path__ == [str(folder)]
