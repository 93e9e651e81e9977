"""MLflow's process, as far as it works without MLflow."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from amlocal.tracking.child import SecretCheck


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"MLflow"]


def answer(headers: dict[str, str]) -> tuple[str, bytes]:
    said: list[str] = []

    def start_response(status: str, *_: object) -> None:
        said.append(status)

    body = SecretCheck(application, "secret")({**headers}, start_response)  # type: ignore[arg-type]
    return said[0], b"".join(body)


def test_the_parent_is_let_in() -> None:
    assert answer({"HTTP_X_AMLOCAL_SECRET": "secret"}) == ("200 OK", b"MLflow")


@pytest.mark.parametrize("headers", [{}, {"HTTP_X_AMLOCAL_SECRET": ""}, {"HTTP_X_AMLOCAL_SECRET": "sécret"}])
def test_nobody_else_is(headers: dict[str, str]) -> None:
    assert answer(headers)[0] == "403 Forbidden"
