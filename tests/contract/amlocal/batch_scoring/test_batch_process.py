"""The driver started as a job starts it: by its path, in a folder that holds the scoring script."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from amlocal import batch_scoring
from amlocal.batch_scoring.batch_job import SETTINGS_VARIABLE
from amlocal.batch_scoring.worker_pool import LIMIT_BYTES
from tests.unit.amlocal.batch_scoring.conftest import NAMES, Job

DRIVER = Path(batch_scoring.__file__).parent


def run(job: Job, content: str, *flags: str, **settings: object) -> subprocess.CompletedProcess[str]:
    chosen = job.lay_out(content, script="score.py", **settings)
    environ = {
        "PATH": os.environ["PATH"],
        "AZURE_ML_INPUT_data": str(job.paths.data),
        "AZURE_ML_INPUT_model": str(job.paths.model),
        "AZURE_ML_OUTPUT_score": str(job.paths.output),
        SETTINGS_VARIABLE: json.dumps(asdict(chosen)),
    }
    command = [sys.executable, "-W", "ignore", *flags, str(DRIVER)]
    return subprocess.run(command, cwd=job.work, env=environ, capture_output=True, text=True, timeout=100, check=False)


def test_the_results_of_all_mini_batches_are_in_the_order_of_the_files(job: Job) -> None:
    done = run(job, NAMES)
    assert done.returncode == 0, done.stderr
    assert job.lines == ["1", "2", "3", "4", "5"]
    assert done.stdout.splitlines()[-1] == "INFO:azureml:5 files, 5 results, 0 files failed"


def test_a_run_that_hangs_is_ended_and_fails_the_job_whatever_the_threshold(job: Job) -> None:
    hanging = NAMES.replace("    return", "    import time\n    print('begun')\n    time.sleep(99)\n    return")
    done = run(job, hanging, timeout_s=0.5, mini_batch_size=5, max_retries=1)
    assert (done.returncode, done.stdout.count("begun")) == (1, 2)
    assert "had a timeout on each of 2 tries of a mini batch: run() took longer than the 0.5 s" in done.stderr


def test_a_run_that_hangs_once_is_tried_again_in_a_new_process(job: Job) -> None:
    once = "    import time\n    if not os.path.exists('tried'):\n        open('tried', 'w').close(); time.sleep(99)\n"
    hanging = NAMES.replace("    return", f"{once}    return")
    assert run(job, hanging, timeout_s=0.5, mini_batch_size=5, max_retries=1).returncode == 0
    assert job.lines == ["1", "2", "3", "4", "5"]


def test_a_process_that_exits_in_run_is_replaced(job: Job) -> None:
    exiting = NAMES.replace("    return", "    if mini_batch[0][-1] == '1': os._exit(7)\n    return")
    done = run(job, exiting, workers=1)
    assert "the process ended with exit code 7" in done.stdout
    assert job.lines == ["3", "4", "5"]


def test_a_process_that_exits_in_init_fails_the_job_with_its_exit_code(job: Job) -> None:
    done = run(job, "import os\ndef init(): os._exit(3)\ndef run(mini_batch): return []\n")
    assert (done.returncode, "exit code 3" in done.stderr.splitlines()[-1]) == (1, True)


def test_a_script_that_prints_without_measure_fills_no_log(job: Job) -> None:
    shouting = NAMES.replace("    return", "    for _ in range(64): os.write(1, b'x' * 2**20)\n    return")
    done = run(job, shouting, workers=1, mini_batch_size=5)
    assert LIMIT_BYTES <= done.stdout.count("x") < LIMIT_BYTES + 1000
    assert "is left out: the log keeps 16,777,216 bytes of it" in done.stdout
    assert done.stdout.splitlines()[-1] == "INFO:azureml:5 files, 5 results, 0 files failed"


def test_init_is_called_once_a_process(job: Job) -> None:
    script = NAMES.replace("def init(): pass", "def init(): open(f'init-{os.getpid()}', 'x').close()")
    assert run(job, script, mini_batch_size=1, workers=1).returncode == 0
    assert len(list(job.work.glob("init-*"))) == 1


def test_a_script_s_environment_may_hold_no_package_at_all(job: Job) -> None:
    done = run(job, NAMES, "-S")  # without the folders that packages are in
    assert done.returncode == 0, done.stderr
    assert job.lines == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("file", sorted(DRIVER.glob("*.py")), ids=lambda file: file.name)
def test_the_driver_keeps_to_the_grammar_of_old_environments(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 8))


def test_a_script_s_imports_are_its_own_and_not_the_driver_s(job: Job) -> None:
    script = "import files\ndef init(): pass\ndef run(mini_batch): return []\n"
    assert "No module named 'files'" in run(job, script).stderr
