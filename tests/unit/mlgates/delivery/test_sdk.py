import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator

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
from mlgates.delivery.connection import silence_sdk_logging
from mlgates.delivery.sdk import (
    WithoutTraces,
    complaints,
    diverted,
    one_line,
    quiet_operation,
    quiet_upload,
    reaching,
    translate_sdk_errors,
)


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


RESET = "\x1b[39m\n"


HUSHED = (
    "azure.ai.ml._utils._experimental",
    "azure.ai.ml.operations._job_operations",
    "azure.ai.ml.operations._model_operations",
    "azure.ai.ml.operations._online_deployment_operations",
    "azure.identity",
)


@pytest.fixture
def levels() -> Iterator[None]:
    """Give the loggers of Azure's libraries their levels back."""
    before = {name: logging.getLogger(name).level for name in HUSHED}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("pieces", "left"),
    [
        ([RESET, "\n"], ""),
        (["one\n", RESET, "\n", "two\n"], "one\ntwo\n"),
        ([RESET, "two\n"], "two\n"),
        ([RESET, "\n", "\n"], "\n"),
        (["\n"], "\n"),
        (["\r\x1b[32mUploading a.csv\x1b[32m (< 1 MB): 0.00B [00:00, ?B/s]", "\n", "left\n"], "left\n"),
    ],
)
def test_the_colour_reset_and_its_newline_are_dropped_and_nothing_else(pieces: list[str], left: str) -> None:
    target = io.StringIO()
    quiet = WithoutTraces(target)
    for piece in pieces:
        quiet.write(piece)
    quiet.flush()
    assert target.getvalue() == left


def test_standard_error_is_given_back() -> None:
    before = sys.stderr
    with quiet_upload():
        assert sys.stderr is not before
    assert sys.stderr is before


@pytest.mark.usefixtures("levels")
def test_a_failed_sign_in_is_not_reported_twice(caplog: pytest.LogCaptureFixture) -> None:
    silence_sdk_logging()
    logging.getLogger("azure.identity").warning("tried nine ways")
    assert caplog.records == []


@pytest.mark.usefixtures("levels")
def test_errors_are_still_heard(caplog: pytest.LogCaptureFixture) -> None:
    silence_sdk_logging()
    logging.getLogger("azure.identity").error("broken")
    assert [record.message for record in caplog.records] == ["broken"]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def in_thread(work: Callable[[], None], name: str | None = None) -> None:
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()


def test_only_the_thread_that_asked_is_diverted(capsys: pytest.CaptureFixture[str]) -> None:
    mine = io.StringIO()
    with diverted("stdout", lambda rest: mine):
        say("mine")
        in_thread(lambda: say("other"))
    assert (mine.getvalue(), capsys.readouterr().out) == ("mine\n", "other\n")


def test_uses_that_overlap_may_end_in_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    before, mine, other = sys.stdout, io.StringIO(), io.StringIO()
    inside, leave = threading.Event(), threading.Event()

    def outlasting() -> None:
        with diverted("stdout", lambda rest: other):
            inside.set()
            leave.wait(10)
            say("late")

    with diverted("stdout", lambda rest: mine):
        thread = threading.Thread(target=outlasting)
        thread.start()
        inside.wait(10)
        say("early")
    say("free")
    leave.set()
    thread.join()
    assert (mine.getvalue(), other.getvalue(), capsys.readouterr().out) == ("early\n", "late\n", "free\n")
    assert sys.stdout is before


def test_the_innermost_of_one_thread_wins() -> None:
    outer, inner = io.StringIO(), io.StringIO()
    with diverted("stderr", lambda rest: outer), diverted("stderr", lambda rest: inner):
        sys.stderr.write("x\n")
    assert (outer.getvalue(), inner.getvalue()) == ("", "x\n")


def test_what_is_not_diverted_is_as_much_a_terminal_as_before() -> None:
    before = sys.stdout.isatty()
    with diverted("stdout", lambda rest: io.StringIO(), belongs=lambda thread: False):
        assert sys.stdout.isatty() is before
        sys.stdout.flush()


def test_the_dots_of_a_poller_are_kept_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    def dot() -> None:
        sys.stdout.write(".")

    with quiet_operation():
        in_thread(dot, name="LROPoller(1)")
        say("heard")
    assert capsys.readouterr().out == "heard\n"
