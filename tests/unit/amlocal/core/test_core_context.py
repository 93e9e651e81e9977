import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.context import (
    azure_date,
    envelope,
    from_azure_date,
    plain_name,
    random_ids,
    string_map,
    system_clock,
    system_data,
)
from amlocal.core.errors import ApiError, NotFound


def test_the_clock_shows_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)


def test_ids_are_guids_and_differ() -> None:
    assert len({uuid.UUID(random_ids()) for _ in range(10)}) == 10


OFFSETS = st.timedeltas().filter(lambda delta: abs(delta.total_seconds()) < 24 * 3600).map(timezone)
# A day from both ends: what has another offset must have a UTC.
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC) | OFFSETS)  # noqa: DTZ001


@given(MOMENTS)
def test_a_date_comes_back(moment: datetime) -> None:
    assert from_azure_date(azure_date(moment)) == moment


@given(MOMENTS)
def test_a_date_is_written_as_azure_writes_it(moment: datetime) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?\+00:00", azure_date(moment))


@given(MOMENTS, MOMENTS)
def test_the_order_of_dates_is_that_of_their_moments(one: datetime, other: datetime) -> None:
    assert (one < other) == (from_azure_date(azure_date(one)) < from_azure_date(azure_date(other)))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("azureml:e", "e"),
        ("AzureML:e", "e"),
        ("e", "e"),
        ("AzureML-sklearn", "AzureML-sklearn"),
        ("azureml://registries/r", "azureml://registries/r"),
    ],
)
def test_the_prefix_that_the_sdk_leaves_is_dropped(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.booleans()))
def test_a_string_map_holds_text_and_no_null(given_map: dict[str, object]) -> None:
    kept = string_map(given_map)
    assert set(kept) == {key for key, value in given_map.items() if value is not None}
    assert all(isinstance(value, str) for value in kept.values())
    assert string_map(kept) == kept


def test_an_asset_that_nobody_changed_names_no_editor() -> None:
    assert set(system_data("then")) == {"createdAt", "createdBy", "createdByType", "lastModifiedAt"}


def test_an_asset_that_was_changed_names_its_editor() -> None:
    assert system_data("then", "later", kind="Application").items() >= {
        ("createdAt", "then"), ("lastModifiedAt", "later"), ("lastModifiedByType", "Application"),
    }  # fmt: skip


def infos(error: ApiError) -> dict[str, object]:
    body = envelope(error, operation="op", request="rq", location="here", now="now")
    return {entry["type"]: entry["info"]["value"] for entry in body["error"]["additionalInfo"]}


def test_the_envelope_says_where_when_and_which_request() -> None:
    assert infos(ApiError(400, "no")) == {
        "ComponentName": "managementfrontend",
        "Correlation": {"operation": "op", "request": "rq"},
        "Environment": "here",
        "Location": "here",
        "Time": "now",
    }


def test_the_envelope_names_the_inner_error_where_there_is_one() -> None:
    assert infos(NotFound("no"))["InnerError"] == {"code": "NotFoundError", "innerError": None}


def test_the_envelope_lists_details() -> None:
    body = envelope(NotFound("no", details=[("C", "m")]), operation="", request="", location="", now="")
    assert body["error"]["details"] == [{"code": "C", "message": "m", "details": [], "additionalInfo": []}]
