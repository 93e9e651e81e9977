import pytest

from mlgates.scoring.answer import MODEL_STATUS, Answer


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(200, b""), 200),
        (Answer(424, b"", {MODEL_STATUS: "500"}), 500),
        (Answer(424, b"", {MODEL_STATUS.title(): "400"}), 400),
        (Answer(424, b"", {MODEL_STATUS: "unknown"}), 424),
        (Answer(424, b""), 424),
        (Answer(408, b"", {MODEL_STATUS: "500"}), 408),
    ],
)
def test_behind_a_424_is_the_status_of_the_models_process(answer: Answer, status: int) -> None:
    assert answer.model_status == status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"message": "Gr\\u00f6\\u00dfe"}', '{"message": "Größe"}'),
        (b"plain", "plain"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_the_text_is_for_a_person(body: bytes, text: str) -> None:
    assert Answer(200, body).text == text
