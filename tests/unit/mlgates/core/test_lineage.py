import math

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.lineage import Lineage

texts = st.text(min_size=1)
lineages = st.builds(
    Lineage,
    job=texts,
    git_commit=texts,
    git_dirty=st.sampled_from(["True", "False"]),
    data=texts,
    data_sha256=texts,
    data_origin=texts,
    environment=texts,
    metrics=st.dictionaries(texts, st.floats(allow_nan=False), max_size=4),
)


@given(lineages)
def test_a_lineage_survives_its_tags(lineage: Lineage) -> None:
    assert Lineage.from_tags(lineage.to_tags()) == lineage


@given(lineages)
def test_tags_hold_text_only(lineage: Lineage) -> None:
    assert all(isinstance(value, str) for value in lineage.to_tags().values())


@given(lineages, st.dictionaries(st.sampled_from(["task", "owner", "job_owner"]), texts))
def test_foreign_tags_do_not_disturb_a_lineage(lineage: Lineage, foreign: dict[str, str]) -> None:
    assert Lineage.from_tags(lineage.to_tags() | foreign) == lineage


def test_what_a_handmade_version_lacks_is_unknown() -> None:
    assert Lineage.from_tags({"job": "j1"}).git_commit == "unknown"


def test_a_metric_that_is_not_a_number_survives() -> None:
    read = Lineage.from_tags({"metric.loss": repr(math.nan)})
    assert math.isnan(read.metrics["loss"])
