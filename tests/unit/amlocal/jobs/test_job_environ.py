from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.environ import job_environ, machine_environ
from tests.unit.amlocal.jobs.desk import Desk

NEEDED = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTPS_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "PIP_INDEX_URL",
    "UV_INDEX",
]
SECRET = [
    "IDENTITY_HEADER", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "PYTHONPATH", "VIRTUAL_ENV",
    "AMLOCAL_ROOT", "MLFLOW_TRACKING_PASSWORD", "PATHS", "MY_HOME", "AMLOCAL_TRACKING_SECRET", "LD_PRELOAD",
]  # fmt: skip


def test_a_job_sees_what_a_program_needs() -> None:
    assert [*machine_environ(dict.fromkeys(NEEDED, "x"))] == NEEDED


def test_a_job_sees_nothing_else_of_the_machine() -> None:
    assert machine_environ(dict.fromkeys(SECRET, "x")) == {}


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(NEEDED + SECRET), st.text(max_size=4)))
def test_what_is_kept_is_kept_as_it_is(environ: dict[str, str]) -> None:
    assert machine_environ(environ).items() <= environ.items()


def test_a_job_is_told_about_itself_and_its_run(desk: Desk) -> None:
    told = job_environ(desk.context, "bright_cow", "diabetes", "a-token")
    assert told["AZUREML_RUN_ID"] == told["MLFLOW_RUN_ID"] == "bright_cow"
    assert told["MLFLOW_EXPERIMENT_NAME"] == "diabetes"
    assert told["MLFLOW_TRACKING_TOKEN"] == "a-token"
    assert told["MLFLOW_TRACKING_URI"] == "https://127.0.0.1:8443/mlflow"
    assert told["AZUREML_ARM_WORKSPACE_NAME"] == "ws"
