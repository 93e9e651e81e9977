from dataclasses import replace
from pathlib import Path

import pytest

from mlgates.build.archive import Build, Manifest
from mlgates.core.errors import BuildRefused
from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.values import SourceState
from mlgates.pipelines.dev import check_passed, note_passed


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path / "build-1.zip", "ab" * 32, Manifest(SourceState("c0ffee", dirty=False), {}))


def record(build: Build, *, gate: str = "dev", verdict: Verdict = Verdict.PASSED) -> GateRecord:
    return GateRecord(
        gate=gate, environment="dev", workspace="w", candidate=None, champion=None, commit="c0ffee", seconds=1.0,
        started="2026-01-01T00:00:00+00:00", build=build.sha256,
        results=(CheckResult(name="metrics.auc", verdict=verdict, reason="auc is 0.9"),),
    )  # fmt: skip


def test_what_dev_has_passed_may_be_trained_from(build: Build) -> None:
    note_passed(build, record(build))
    assert check_passed(build) == record(build)


def test_without_a_record_a_build_is_refused(build: Build) -> None:
    with pytest.raises(BuildRefused, match=r"build-1\.zip has no build-1\.dev-gate\.json beside it"):
        check_passed(build)


@pytest.mark.parametrize(
    ("commit", "reason"),
    [("unknown", "the commit is unknown"), ("decaf", "is of commit c0ffee, dev passed commit decaf")],
)
def test_what_dev_passed_must_be_of_the_same_commit(build: Build, commit: str, reason: str) -> None:
    note_passed(build, replace(record(build), commit=commit))
    with pytest.raises(BuildRefused, match=reason):
        check_passed(build)


@pytest.mark.parametrize(("gate", "verdict"), [("dev", Verdict.FAILED), ("qa", Verdict.PASSED)])
def test_what_another_gate_or_a_failed_one_says_is_not_enough(build: Build, gate: str, verdict: Verdict) -> None:
    note_passed(build, record(build, gate=gate, verdict=verdict))
    with pytest.raises(BuildRefused, match="prod trains only from what dev has passed"):
        check_passed(build)


def test_a_build_that_was_changed_since_is_refused(build: Build) -> None:
    note_passed(build, record(build))
    with pytest.raises(BuildRefused, match="was changed since dev passed it"):
        check_passed(replace(build, sha256="cd" * 32))


@pytest.mark.parametrize("content", ["", "[]", '{"gate": "dev"}'])
def test_what_is_no_record_is_refused(build: Build, content: str) -> None:
    note_passed(build, record(build)).write_text(content)
    with pytest.raises(BuildRefused, match="is no record of a gate"):
        check_passed(build)
