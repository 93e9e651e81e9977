import pytest
from azure.ai.ml.exceptions import ValidationException
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from mlgates.core.errors import AssetMissing, MlgatesError, WorkspaceRefused, WorkspaceUnavailable
from mlgates.delivery.sdk import complaints, one_line, reaching, translate_sdk_errors


def forbidden() -> HttpResponseError:
    error = HttpResponseError("(AuthorizationFailed) no\nCode: AuthorizationFailed")
    error.status_code = 403
    return error


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ClientAuthenticationError("expired"), WorkspaceUnavailable),
        (ServiceRequestError("refused"), WorkspaceUnavailable),
        (ServiceResponseError("reset"), WorkspaceUnavailable),
        (ResourceNotFoundError("none"), AssetMissing),
        (HttpResponseError("(UserError) bad"), WorkspaceRefused),
        (ValidationException(message="bad", no_personal_data_message="bad"), WorkspaceRefused),
    ],
)
def test_every_error_of_the_sdk_becomes_one_of_ours(raised: AzureError, expected: type[MlgatesError]) -> None:
    with pytest.raises(expected, match=r"^cannot do it: ") as caught, translate_sdk_errors("do it"):
        raise raised
    assert caught.value.__cause__ is raised


def test_other_errors_pass_through() -> None:
    with pytest.raises(KeyError), translate_sdk_errors("do it"):
        raise KeyError("a bug stays a bug")


def test_only_the_first_line_of_an_answer_is_reported() -> None:
    assert one_line(HttpResponseError("\n (UserError) bad\nCode: UserError\nMessage: bad")) == "(UserError) bad"


def test_the_sdks_own_report_gives_its_complaint_without_colour() -> None:
    report = "\n\x1b[31m\nError: Met error\n\n1) Not valid\n\nDetails: \n\n\x1b[31m(x) no path\x1b[39m\n"
    assert one_line(HttpResponseError(report)) == "no path"


def test_an_error_without_words_is_reported_by_its_kind() -> None:
    assert one_line(AzureError("")) == "AzureError"


@pytest.mark.parametrize(
    ("raised", "way_out"),
    [
        (ClientAuthenticationError("x"), "not signed in: run 'az login'"),
        (ResourceNotFoundError("x"), "it does not exist: create it"),
        (forbidden(), "you may not read it"),
        (ServiceRequestError("name not resolved"), "no answer: name not resolved"),
        (ValidationException(message="odd", no_personal_data_message=""), "no answer: odd"),
    ],
)
def test_first_contact_reports_the_way_out(project: Project, raised: AzureError, way_out: str) -> None:
    azure = load_settings(project, "dev", environ={"AZURE_SUBSCRIPTION_ID": "12345678-1234-1234-1234-1234567890ab"})
    with pytest.raises(WorkspaceUnavailable, match=f"^workspace mlw in resource group rg: {way_out}"), reaching(azure):
        raise raised


def test_a_local_workspace_that_does_not_answer_points_to_amlocal(settings: Settings) -> None:
    error = ValidationException(message="Unknown cloud", no_personal_data_message="")
    with pytest.raises(WorkspaceUnavailable, match="see 'amlocal status'"), reaching(settings):
        raise error


def test_complaints_are_found_in_json_within_json() -> None:
    report = (
        'Validation for X failed:\n\n {"errors": [{"message": "Y: {\\n \\"environment\\": [\\n \\"Missing.\\"\\n ]"}]}'
    )
    assert complaints(report) == "environment: Missing"


def test_an_unknown_report_is_reported_by_its_first_line() -> None:
    assert complaints("all wrong\nmore") == "all wrong"
