"""Microsoft's own tests and examples against a local workspace: `nox -s azure-sdk [-- --tests DIR] [--examples DIR]`.

The end-to-end tests of azure-ai-ml, unchanged, at the version that is installed, and the hello-world examples. Both
come from GitHub (the tests' configuration files are not in the package), or from folders that are at hand.
"""

import argparse
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from amlocal import local_workspace

ROOT = Path(__file__).resolve().parents[2]
CHECKOUTS = ROOT / ".nox" / "azure-sdk-checkouts"
AREAS = (
    "environment",
    "dataset",
    "model",
    "code_asset",
    "command_job",
    "datastore",
    "compute",
    "online_services",
    "batch_services",
)
"""The folders of tests that belong to what amlocal serves."""
KEY = "c3RhbmRzIGluIGZvciBhIGtleQ=="  # of a storage account that the tests describe and never use


def main() -> int:
    """Run the tests, then the examples; return the exit code, 0 when both passed."""
    parser = argparse.ArgumentParser(prog="nox -s azure-sdk --", description=__doc__)
    parser.add_argument("--tests", type=Path, help="the folder sdk/ml/azure-ai-ml/tests of azure-sdk-for-python")
    parser.add_argument("--examples", type=Path, help="a checkout of Azure/azureml-examples")
    parser.add_argument("-k", dest="chosen", default="", help="only tests and examples of that name, as pytest has it")
    arguments = parser.parse_args()
    # The package's own source has the tests without the files that they load.
    for option, folder, part in (
        ("--tests", arguments.tests, "test_configs/environment"),
        ("--examples", arguments.examples, "cli/jobs/basics"),
    ):
        if folder and not (folder / part).is_dir():
            parser.error(f"{option}: {folder} has no {part}: it is no checkout of GitHub's repository")
    tag = f"azure-ai-ml_{version('azure-ai-ml')}"
    tests = arguments.tests or sparse_checkout("azure-sdk-for-python", tag, "sdk/ml/azure-ai-ml/tests")
    examples = arguments.examples or sparse_checkout("azureml-examples", "main", "cli")
    folders = [str(Path(tests.name, area, "e2etests")) for area in AREAS]
    chosen = ["-k", arguments.chosen] if arguments.chosen else []
    with local_workspace() as workspace:
        environ = {
            **os.environ,
            **workspace.environ,
            "PYTHONPATH": str(ROOT),
            "ML_SUBSCRIPTION_ID": workspace.subscription,
            "ML_RESOURCE_GROUP": workspace.resource_group,
            "ML_WORKSPACE_NAME": workspace.name,
            "ML_FEATURE_STORE_NAME": "none",
            "ML_TEST_STORAGE_ACCOUNT_NAME": "notused",
            "ML_TEST_STORAGE_ACCOUNT_PRIMARY_KEY": KEY,
            "ML_TEST_STORAGE_ACCOUNT_SECONDARY_KEY": KEY,
            "AZUREML_EXAMPLES": str(examples.resolve()),
        }
        # The tests name their files from the folder above them.
        plugin = ["-p", "tests.azure_sdk.plugin", "-c", os.devnull, "--rootdir", "."]
        ran = [
            run_pytest(tests.resolve().parent, environ, *plugin, *folders, *chosen),
            run_pytest(ROOT, environ, "tests/azure_sdk/hello_world.py", *chosen),
        ]
    return max(ran)


def sparse_checkout(repository: str, branch: str, folder: str) -> Path:
    """Fetch one folder of a repository of Azure on GitHub, unless it is there, and return where it lies."""
    checkout = CHECKOUTS / f"{repository}-{branch}"
    if not (checkout / folder).is_dir():
        address = f"https://github.com/Azure/{repository}"
        clone = ["clone", "--quiet", "--depth=1", "--filter=blob:none", "--sparse", f"--branch={branch}", address]
        subprocess.run(["git", *clone, str(checkout)], check=True)
        subprocess.run(["git", "-C", str(checkout), "sparse-checkout", "set", folder], check=True)
    return checkout / folder if folder != "cli" else checkout


def run_pytest(folder: Path, environ: dict[str, str], *arguments: str) -> int:
    """Run pytest in a folder and return its exit code; no test of that name is none that failed."""
    options = ["-q", "-ra", "-p", "no:randomly", "-p", "no:cacheprovider", "--disable-warnings"]
    ended = subprocess.run([sys.executable, "-m", "pytest", *options, *arguments], cwd=folder, env=environ, check=False)
    return 0 if "-k" in arguments and ended.returncode == 5 else ended.returncode


if __name__ == "__main__":
    sys.exit(main())
