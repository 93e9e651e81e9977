import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import AssetMissing
from mlgates.core.values import AssetVersion, Job, ModelRef, gate_tags, metric_tags, metrics_of, record_of, verdict_of


def test_a_version_is_referred_to_as_azure_ml_does() -> None:
    assert AssetVersion("diabetes", "3", created=True).reference == "azureml:diabetes:3"


def test_a_version_that_was_there_says_so() -> None:
    assert AssetVersion("d", "3", created=False).summary == "d:3 already holds this content"


def test_the_origin_of_data_is_reported() -> None:
    assert AssetVersion("d", "1", created=True, tags={"origin": "stand-in"}).summary.endswith("origin stand-in")


@pytest.mark.parametrize("status", ["Completed", "Failed", "Canceled", "NotResponding"])
def test_a_job_in_a_final_state_has_ended(status: str) -> None:
    assert Job("j", "e", status).ended


@pytest.mark.parametrize("status", ["NotStarted", "Queued", "Running", "Finalizing", "CancelRequested", "Paused"])
def test_a_job_on_its_way_has_not_ended(status: str) -> None:
    assert not Job("j", "e", status).ended


def test_a_job_is_reported_with_its_state() -> None:
    assert Job("j", "e", "Running").summary == "j Running"


WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,30}", fullmatch=True)
"""The names, versions and jobs that Azure ML takes."""


@given(WORDS, WORDS)
def test_a_registered_model_is_read_back_from_its_name_and_version(name: str, version: str) -> None:
    model = ModelRef(name, version)
    assert (ModelRef.parse(str(model)), model.job) == (model, None)


@given(WORDS, WORDS)
def test_a_model_that_is_not_registered_is_read_back_with_its_job(name: str, job: str) -> None:
    model = ModelRef.of_job(name, job)
    assert (str(model), ModelRef.parse(str(model)), model.job) == (f"{name}:job:{job}", model, job)
    assert AssetVersion(model.name, model.version, created=False).unregistered_job == job


@given(st.text() | st.builds(":".join, st.lists(st.sampled_from(["m", "job", "3", "", " "]), max_size=4)))
def test_what_is_read_as_a_model_is_written_the_same_and_all_else_is_refused(text: str) -> None:
    model = ModelRef.match(text)
    if model is not None:
        assert (str(model), ModelRef.parse(text)) == (text, model)
        return
    with pytest.raises(AssetMissing, match="names no model"):
        ModelRef.parse(text)


@pytest.mark.parametrize(
    "text", ["", "classifier", ":3", "classifier:", "a:job:", "a:b:c", "a:job:b:c", "a: 3", "a:3\n"]
)
def test_what_names_no_model_is_refused(text: str) -> None:
    assert ModelRef.match(text) is None


NAMES = st.text(min_size=1)
OTHER = st.dictionaries(NAMES.filter(lambda name: not name.startswith(("metric.", "gate."))), st.text())


@given(st.dictionaries(NAMES, st.floats(allow_nan=False)), OTHER)
def test_metrics_keep_every_digit(metrics: dict[str, float], others: dict[str, str]) -> None:
    assert metrics_of({**others, **metric_tags(metrics)}) == metrics


@given(NAMES, st.booleans(), st.text(), OTHER)
def test_a_verdict_comes_back_with_its_record(gate: str, passed: bool, record: str, others: dict[str, str]) -> None:
    tags = {**others, **gate_tags(gate, passed=passed, record=record)}
    assert (verdict_of(tags, gate), record_of(tags, gate)) == (passed, record)


@given(NAMES, OTHER)
def test_a_gate_that_was_not_run_has_neither(gate: str, others: dict[str, str]) -> None:
    assert (verdict_of(others, gate), record_of(others, gate)) == (None, None)
