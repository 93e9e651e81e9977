"""A workspace in a folder of any name, behind a proxy that answers nobody, at a terminal that knows ASCII alone."""

import os
import subprocess
import sys
from pathlib import Path

from amlocal import launcher

FOLDER = "r é日 $x 'q' \"d\" `b` 50% #1 a?b*[c]"
FILE = "da ta 'é$.csv"
# What a person would write: the names are as odd as the folder's, and quoted as a shell wants the script's own.
PROGRAM = """
import os, sys, time
from pathlib import Path
from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import Data
from azure.identity import DefaultAzureCredential

names = [os.environ[f"AZUREML_ARM_{key}"] for key in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
client = MLClient(DefaultAzureCredential(), *names)
here = Path(sys.argv[1])
data = client.data.create_or_update(Data(name="odd", path=str(here / sys.argv[2]), type="uri_file"))
job = client.jobs.create_or_update(
    command(
        command='python "copy é.py" ${{inputs.data}} "${{outputs.copy}}" && python -c "import mlflow; '
        'mlflow.log_metric(\\'m\\', 1)"',
        code=str(here / "co de"),
        experiment_name="odd",  # the folder's name otherwise, which Azure refuses with such letters
        environment="azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        inputs={"data": Input(type="uri_file", path=f"azureml:odd:{data.version}")},
        outputs={"copy": Output(type="uri_folder")},
    )
)
deadline = time.monotonic() + 120
while (status := client.jobs.get(job.name).status) not in {"Completed", "Failed"} and time.monotonic() < deadline:
    time.sleep(0.2)
client.jobs.download(job.name, download_path=here / "got", all=True)
sys.exit(str(status) if status != "Completed" else 0)
"""
COPY = """
import shutil, sys
print("✓", *sys.argv)
shutil.copyfile(sys.argv[1], sys.argv[2] + "/é")
"""


def test_the_sdk_works_in_any_folder_terminal_and_network(tmp_path: Path) -> None:
    here = tmp_path / FOLDER
    (here / "co de").mkdir(parents=True)
    (here / "co de" / "copy é.py").write_text(COPY, encoding="utf-8")
    (here / FILE).write_bytes(b"a,b\n1,2\n")
    closed = "http://127.0.0.1:9"
    odd = {
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), closed),
        "NO_PROXY": "example.org",
        "no_proxy": "",
        "PYTHONIOENCODING": "ascii",
        "TERM": "dumb",
    }
    amlocal = [sys.executable, "-m", "amlocal", "exec", "--root", ".amlocal", "--"]
    try:
        done = subprocess.run(
            [*amlocal, sys.executable, "-W", "ignore", "-c", PROGRAM, ".", FILE],
            cwd=here, env={**os.environ, **odd}, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        (copied,) = (here / "got").rglob("é")
        assert copied.read_bytes() == b"a,b\n1,2\n"
        (log,) = (here / "got").rglob("std_log.txt")
        assert "✓" in log.read_text(encoding="utf-8")
    finally:
        for running in launcher.find_any(here / ".amlocal"):
            launcher.stop(running)
