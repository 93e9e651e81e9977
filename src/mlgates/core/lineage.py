"""Where a model comes from, as tags on it: from any model version back to commit, data and job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from mlgates.core.values import metric_tags, metrics_of

_FACTS = ("job", "git_commit", "git_dirty", "data", "data_sha256", "data_origin", "environment", "build_sha256")


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a model version was made from, and what it scored."""

    job: str
    git_commit: str
    git_dirty: str
    """`True` or `False`, as tags are text."""
    data: str
    """Name and version of the data asset, `training-data:3`."""
    data_sha256: str
    data_origin: str
    environment: str
    """Name and version of the training environment."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    build_sha256: str = "none"
    """Of the archive that the model was trained from; `none` for one trained from a checkout."""

    def to_tags(self) -> dict[str, str]:
        """Return the tags that carry this lineage; floats keep every digit."""
        facts = {name: getattr(self, name) for name in _FACTS}
        return facts | metric_tags(self.metrics)

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Self:
        """Read a lineage back; facts that a hand-made version lacks are `unknown`."""
        return cls(**{name: tags.get(name, "unknown") for name in _FACTS}, metrics=metrics_of(tags))
