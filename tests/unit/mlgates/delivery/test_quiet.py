import io
import logging
import sys
from collections.abc import Iterator

import pytest

from mlgates.delivery.quiet import WithoutTraces, quiet_upload, silence_sdk_logging

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
def test_a_failed_sign_in_is_not_told_twice(caplog: pytest.LogCaptureFixture) -> None:
    silence_sdk_logging()
    logging.getLogger("azure.identity").warning("tried nine ways")
    assert caplog.records == []


@pytest.mark.usefixtures("levels")
def test_errors_are_still_heard(caplog: pytest.LogCaptureFixture) -> None:
    silence_sdk_logging()
    logging.getLogger("azure.identity").error("broken")
    assert [record.message for record in caplog.records] == ["broken"]
