"""The tags of a model version with figures and verdicts: how each is spelled, and how it is read back."""

from collections.abc import Mapping

METRIC, GATE = "metric.", "gate."


def metric_tags(metrics: Mapping[str, float]) -> dict[str, str]:
    """Return the tags that carry `metrics`; floats keep every digit."""
    return {METRIC + name: repr(float(value)) for name, value in sorted(metrics.items())}


def metrics_of(tags: Mapping[str, str]) -> dict[str, float]:
    """Read metrics back. Raises `ValueError` for one that is no number."""
    return {name.removeprefix(METRIC): float(text) for name, text in tags.items() if name.startswith(METRIC)}


def gate_tags(gate: str, *, passed: bool, record: str) -> dict[str, str]:
    """Return the tags that carry the verdict of a gate and the checksum of its record."""
    return {f"{GATE}{gate}": "passed" if passed else "failed", f"{GATE}{gate}.record": record}


def verdict_of(tags: Mapping[str, str], gate: str) -> bool | None:
    """Return whether a gate passed; None for one that a version has not been through."""
    verdict = tags.get(f"{GATE}{gate}")
    return None if verdict is None else verdict == "passed"


def record_of(tags: Mapping[str, str], gate: str) -> str | None:
    """Return the checksum of the record that a gate has left, None when it has left none."""
    return tags.get(f"{GATE}{gate}.record")
