"""The driver started as a job starts it: by its path, in a folder that holds the scoring script."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest

from amlocal import scoring
from amlocal.scoring.settings import VARIABLE, Settings

DRIVER = Path(scoring.__file__).parent
PLAIN = Settings(
    mini_batch_size=2,
    workers=2,
    max_retries=0,
    timeout_s=60.0,
    error_threshold=-1,
    logging_level="info",
    output_file="predictions.csv",
    script="score.py",
)


@dataclass
class Job:
    folder: Path
    settings: Settings = PLAIN
    files: list[str] = field(default_factory=lambda: ["1", "2", "3", "4", "5"])

    def run(self, script: str, **settings: object) -> subprocess.CompletedProcess[str]:
        places = {name: self.folder / name for name in ("work", "data", "model", "score")}
        for place in places.values():
            place.mkdir()
        for name in self.files:
            (places["data"] / name).write_text(name)
        (places["work"] / "score.py").write_text(script)
        chosen = replace(self.settings, **settings)  # type: ignore[arg-type]
        environ = {
            "PATH": os.environ["PATH"],
            "AZURE_ML_INPUT_data": str(places["data"]),
            "AZURE_ML_INPUT_model": str(places["model"]),
            "AZURE_ML_OUTPUT_score": str(places["score"]),
            VARIABLE: json.dumps(asdict(chosen)),
        }
        command = [sys.executable, "-W", "ignore", str(DRIVER)]
        return subprocess.run(
            command, cwd=places["work"], env=environ, capture_output=True, text=True, timeout=100, check=False
        )

    @property
    def lines(self) -> list[str]:
        return (self.folder / "score" / "predictions.csv").read_text().splitlines()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


NAMES = """
import os
def init(): pass
def run(mini_batch):
    return [os.path.basename(file) for file in mini_batch]
"""


def test_the_results_of_all_mini_batches_are_in_the_order_of_the_files(job: Job) -> None:
    done = job.run(NAMES)
    assert done.returncode == 0, done.stderr
    assert job.lines == ["1", "2", "3", "4", "5"]


def test_with_summary_only_nothing_is_written(job: Job) -> None:
    job.run(NAMES, output_file=None)
    assert list((job.folder / "score").iterdir()) == []


def test_a_mini_batch_that_fails_is_tried_again(job: Job) -> None:
    again = NAMES.replace(
        "    return",
        "    mark = 'tried-' + os.path.basename(mini_batch[0])\n"
        "    if not os.path.exists(mark):\n        open(mark, 'w').close(); raise ValueError('not yet')\n    return",
    )
    assert job.run(again, max_retries=1).returncode == 0
    assert job.lines == ["1", "2", "3", "4", "5"]


def test_a_mini_batch_that_goes_on_failing_loses_its_files_only(job: Job) -> None:
    done = job.run(NAMES.replace("    return", "    assert '3' not in mini_batch[0][-1]\n    return"), max_retries=1)
    assert "mini batch 1 failed after 2 tries" in done.stdout
    assert job.lines == ["1", "2", "5"]


@pytest.mark.parametrize(("threshold", "code"), [(1, 1), (2, 0)])
def test_the_files_of_a_failed_mini_batch_count_against_the_threshold(job: Job, threshold: int, code: int) -> None:
    script = NAMES.replace("    return", "    assert '3' not in mini_batch[0][-1]\n    return")
    assert job.run(script, error_threshold=threshold).returncode == code


def test_a_file_without_a_result_counts_as_failed(job: Job) -> None:
    done = job.run("def init(): pass\ndef run(mini_batch): return mini_batch[1:]\n", error_threshold=1)
    assert "files failed, and error_threshold is 1" in done.stderr.splitlines()[-1]


def test_a_run_that_hangs_is_ended_at_its_time_limit_and_the_rest_is_scored(job: Job) -> None:
    hanging = NAMES.replace(
        "    return", "    import time\n    while mini_batch[0][-1] == '1': time.sleep(1)\n    return"
    )
    done = job.run(hanging, timeout_s=1.0)
    assert "run() took longer than the 1 s that retry_settings allow" in done.stdout
    assert job.lines == ["3", "4", "5"]


def test_a_process_that_exits_in_run_is_replaced(job: Job) -> None:
    exiting = NAMES.replace("    return", "    if mini_batch[0][-1] == '1': os._exit(7)\n    return")
    done = job.run(exiting, workers=1)
    assert "the process ended with exit code 7" in done.stdout
    assert job.lines == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init(): raise ValueError('no such model')\ndef run(mini_batch): return []\n", "no such model"),
        ("def run(mini_batch): return []\n", "has no function init()"),
        ("def init(): pass\n", "has no function run()"),
        ("import os\ndef init(): os._exit(3)\ndef run(mini_batch): return []\n", "exit code 3"),
        ("def init(", "SyntaxError"),
    ],
)
def test_a_script_that_does_not_load_fails_the_job_with_the_reason(job: Job, script: str, reason: str) -> None:
    done = job.run(script)
    assert done.returncode == 1
    assert reason in done.stderr.splitlines()[-1]


def test_a_result_that_is_no_list_fails_its_mini_batch(job: Job) -> None:
    done = job.run("def init(): pass\ndef run(mini_batch): return 7\n", error_threshold=0)
    assert "run() must return a list or a pandas DataFrame, not int" in done.stderr.splitlines()[-1]


def test_init_is_called_once_a_process(job: Job) -> None:
    script = NAMES.replace("def init(): pass", "def init(): open(f'init-{os.getpid()}', 'x').close()")
    assert job.run(script, mini_batch_size=1, workers=1).returncode == 0
    assert len(list((job.folder / "work").glob("init-*"))) == 1


def test_an_input_without_files_fails_the_job(job: Job) -> None:
    job.files = []
    assert "There is no file in the input data" in job.run(NAMES).stderr


def test_a_script_s_imports_are_its_own_and_not_the_driver_s(job: Job) -> None:
    script = "import files\ndef init(): pass\ndef run(mini_batch): return []\n"
    assert "No module named 'files'" in job.run(script).stderr
