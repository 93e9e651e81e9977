import pytest

from amlocal.jobs.states import Status
from amlocal.jobs.studio import studio_routes
from tests.unit.amlocal.jobs.desk import Desk
from tests.unit.amlocal.jobs.front import Front


def test_a_jobs_link_leads_to_its_run_on_mlflows_pages(front: Front) -> None:
    reply = front.ask("GET", "/runs/bright_cow-1", wsid="/subscriptions/x", tid="y")
    assert reply.status == 200
    assert b'location.replace("/mlflow/#/runs/bright_cow-1")' in reply.body
    assert reply.media_type == "text/html; charset=utf-8"


def test_it_is_open_and_the_same_for_every_name(front: Front, desk: Desk) -> None:
    desk.submit_in(Status.COMPLETED)
    assert [route.auth for route in studio_routes()] == ["open"]
    known, unknown = front.ask("GET", "/runs/job"), front.ask("GET", "/runs/xyz")
    assert known.body.replace(b"job", b"xyz") == unknown.body


def test_it_hands_out_nothing_that_opens_a_door(front: Front) -> None:
    reply = front.ask("GET", "/runs/job", token="x", wsid="y")
    assert b"token" not in reply.body
    assert reply.headers == {"Referrer-Policy": "no-referrer"}


@pytest.mark.parametrize("name", ["a%22b", "%3Cscript%3E", "..", "a%0D%0AX", "%C3%BC", "a" * 256])
def test_what_is_no_jobs_name_becomes_no_page(front: Front, name: str) -> None:
    assert front.ask("GET", f"/runs/{name}").status == 404
