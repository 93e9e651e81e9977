import pytest

from mlgates.core.values import AssetVersion, Job


def test_a_version_is_referred_to_as_azure_ml_does() -> None:
    assert AssetVersion("diabetes", "3", created=True).reference == "azureml:diabetes:3"


def test_a_version_that_was_there_says_so() -> None:
    assert AssetVersion("d", "3", created=False).summary == "d:3 already holds this content"


def test_the_origin_of_data_is_told() -> None:
    assert AssetVersion("d", "1", created=True, tags={"origin": "stand-in"}).summary.endswith("origin stand-in")


@pytest.mark.parametrize("status", ["Completed", "Failed", "Canceled", "NotResponding"])
def test_a_job_in_a_final_state_has_ended(status: str) -> None:
    assert Job("j", "e", status).ended


@pytest.mark.parametrize("status", ["NotStarted", "Queued", "Running", "Finalizing", "CancelRequested", "Paused"])
def test_a_job_on_its_way_has_not_ended(status: str) -> None:
    assert not Job("j", "e", status).ended


def test_a_job_is_told_with_its_state() -> None:
    assert Job("j", "e", "Running").summary == "j Running"
