"""Requests and responses come out of the socket as they went in, however they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from amlocal.online_scoring.frames import (
    ScoringRequest,
    ScoringResponse,
    pack_request,
    pack_response,
    take_requests,
    take_responses,
)

REQUESTS = st.builds(
    ScoringRequest, st.integers(0, 2**32 - 1), st.binary(max_size=50), st.sampled_from(["", "application/json"])
)
ANSWERS = st.builds(
    ScoringResponse, st.integers(0, 2**32 - 1), st.integers(200, 599), st.binary(max_size=50), st.just(0.5)
)


@given(st.lists(REQUESTS, max_size=5), st.integers(1, 20))
def test_requests_come_out_as_they_went_in_however_they_are_cut(requests: list[ScoringRequest], size: int) -> None:
    stream = b"".join(map(pack_request, requests))
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += take_requests(buffer)
    assert (found, buffer) == (requests, bytearray())


@given(st.lists(ANSWERS, max_size=5), st.integers(1, 20))
def test_answers_come_out_as_they_went_in_however_they_are_cut(answers: list[ScoringResponse], size: int) -> None:
    stream = b"".join(map(pack_response, answers))
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += take_responses(buffer)
    assert (found, buffer) == (answers, bytearray())
