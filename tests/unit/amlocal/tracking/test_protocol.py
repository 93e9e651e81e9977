"""Runs on their way to MLflow."""

from datetime import UTC, datetime, timedelta, timezone

from amlocal.tracking.protocol import RunRecord

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def test_moments_are_epoch_milliseconds_wherever_they_were_taken() -> None:
    there = STARTED.astimezone(timezone(timedelta(hours=5)))
    wire = RunRecord("r", "e", "n", "FINISHED", there, STARTED + timedelta(seconds=1)).wire()
    assert (wire["start_time"], wire["end_time"]) == (1767323045678, 1767323046678)


def test_a_run_under_way_has_no_end() -> None:
    assert RunRecord("r", "e", "n", "RUNNING", STARTED).wire()["end_time"] is None
