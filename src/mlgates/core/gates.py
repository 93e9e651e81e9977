"""What a gate found: the verdict of each check, and all of them as one record that is kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from mlgates.core.values import UNKNOWN, ModelArtifact


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNED = "warned"
    """What it found is beyond its limit, and the gate's declaration lets that pass."""
    FAILED = "failed"
    COULD_NOT_RUN = "could not run"
    """Nothing is known, which is no better than failed."""

    @property
    def holds(self) -> bool:
        """True when the gate may pass as far as this check goes."""
        return self in {Verdict.PASSED, Verdict.WARNED}

    @classmethod
    def passed_if(cls, holds: bool) -> "Verdict":
        """Return what a check says of itself; whether a failure warns only, the gate knows."""
        return cls.PASSED if holds else cls.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was checked."""

    name: str
    """Unique in its gate, the type of the check first: `metrics.auc`.

    A check gives what stands after the point: a metric, a column, a layer; "" where it has one result only.
    """
    verdict: Verdict
    reason: str
    """What was found, on one line."""
    figure: float | None = None
    """The number that was compared, in `unit`."""
    limit: str = ""
    """What it was compared with: `at least 0.75`."""
    least: float | None = None
    """The floor as a number, in `unit`, where the limit is one: what a picture is drawn from."""
    most: float | None = None
    """The ceiling as a number, in `unit`, where the limit is one."""
    unit: str = ""
    remedy: str = ""
    """What to do when it does not hold."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """JSON that pictures are drawn from; what it holds is documented by the check.

    `low` and `high` are the ends of the interval that the figure lies in, where it is judged by one.
    """
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """True when the gate may pass as far as this goes."""
        return self.verdict.holds

    @property
    def kind(self) -> str:
        """The type of check, as gates.yml names it."""
        return self.name.partition(".")[0]

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between what the figure may really be, in `unit`; both ends are the figure where it is certain."""
        if self.figure is None:
            return None
        low, high = (self.evidence.get(end, self.figure) for end in ("low", "high"))
        return (low, high) if isinstance(low, float) and isinstance(high, float) else (self.figure, self.figure)

    @property
    def margin(self) -> float | None:
        """How far within its limit the whole interval is, in `unit`; negative beyond it, None without such a limit."""
        if self.interval is None:
            return None
        low, high = self.interval
        rooms = [low - self.least] if self.least is not None else []
        rooms += [self.most - high] if self.most is not None else []
        return min(rooms, default=None)

    @property
    def summary(self) -> str:
        """All of it in one phrase."""
        return f"{self.verdict}: {self.reason}"


def bounded(name: str, figure: float, *, least: float | None, most: float | None, unit: str = "") -> CheckResult:
    """Return the result that `figure` is not under `least` and not over `most`; neither is no limit at all."""
    parts = [f"at least {least:g}" if least is not None else "", f"at most {most:g}" if most is not None else ""]
    limit = " and ".join(filter(None, parts))
    # Written so that NaN, which compares with nothing, does not hold.
    holds = (least is None or figure >= least) and (most is None or figure <= most)
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(holds),
        reason=f"{name or 'it'} is {figure:.4g}{f' {unit}' if unit else ''}, {limit} is required",
        figure=figure,
        limit=limit,
        least=least,
        most=most,
        unit=unit,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecord:
    """One run of one gate."""

    gate: str
    environment: str
    workspace: str
    candidate: ModelArtifact | None
    """None for a gate that is about a commit, and no model yet."""
    champion: ModelArtifact | None
    """What served when the gate ran; None when nothing did."""
    results: tuple[CheckResult, ...]
    started: str
    """UTC, ISO 8601."""
    seconds: float
    commit: str
    build: str | None = None
    """The sha256 of the build that the candidate was trained from."""
    pictures: Mapping[str, Any] = field(default_factory=dict)
    """JSON that a report draws: `curves`, `scores` and `versions`, as mlgates.gates.comparison has them."""

    @property
    def passed(self) -> bool:
        """True when every check holds, there was one, and it is known which commit was looked at."""
        return self.of_known_commit and bool(self.results) and all(result.verdict.holds for result in self.results)

    @property
    def of_known_commit(self) -> bool:
        """False when nobody could tell which sources the gate was about."""
        return self.commit != UNKNOWN

    @property
    def summary(self) -> str:
        """All of it in one phrase."""
        broken = [result.name for result in self.results if not result.verdict.holds]
        if not self.of_known_commit:
            broken.append("the commit is unknown")
        end = "passed" if self.passed else f"failed: {', '.join(broken) or 'no check ran'}"
        about = self.candidate.model if self.candidate else f"commit {self.commit[:12]}"
        return f"gate {self.gate} for {about} {end}"

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "passed": self.passed,
            "candidate": _artifact_dict(self.candidate) if self.candidate else None,
            "champion": _artifact_dict(self.champion) if self.champion else None,
            "pictures": self.pictures,
            "results": [{name: getattr(result, name) for name in _OF_RESULT} for result in self.results],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read a record back. Raises `KeyError`, `TypeError` or `ValueError` for anything that is none."""
        candidate, champion = document["candidate"], document["champion"]
        return cls(
            **{name: document[name] for name in _PLAIN},
            candidate=ModelArtifact.of(**candidate) if candidate else None,
            champion=ModelArtifact.of(**champion) if champion else None,
            pictures=document.get("pictures", {}),
            results=tuple(
                CheckResult(**{**result, "verdict": Verdict(result["verdict"])}) for result in document["results"]
            ),
        )

    @property
    def sha256(self) -> str:
        """Of the record's content: what an approval names."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


_PLAIN = ("gate", "environment", "workspace", "started", "seconds", "commit", "build")
_OF_RESULT = ("name", "verdict", "reason", "figure", "limit", "least", "most", "unit", "remedy", "evidence", "seconds")


def _artifact_dict(artifact: ModelArtifact) -> dict[str, Any]:
    return {"model": artifact.model, "sha256": artifact.sha256, "tags": dict(artifact.tags)}
