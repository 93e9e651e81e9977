"""Reads mlops/training.yml: which function trains, how it is called, and which properties do not hold."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from mlgates.config.declaring import Strict, parsed, read_yaml
from mlgates.core.errors import ConfigurationError

UNCHECKED = "unchecked"
"""As the score of a metric: it is no score of the held-out rows."""


class Reaction(StrEnum):
    """What training code does with what is odd."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class OutcomeConfig(Strict):
    """Where in what the training function returns its parts are: names parted by points, keys and places among them."""

    model: str = "model"
    """The fitted model."""
    train: str = "train"
    """The rows that it was fitted on: a table, a series, or their index; with the index of the table that was given."""
    test: str = "test"
    """The rows that were held out."""
    metrics: str = "metrics"
    """What was measured on these: names and numbers, as a dictionary or a dataclass."""


class TrainingConfig(Strict):
    """How the unit suite for training code (`mlgates.suites`) calls a project's training."""

    training: str = ""
    """The function that takes a table and settings, and returns what `outcome` describes: `package.module:function`."""
    settings: str = ""
    """What makes settings of keywords, such as a dataclass. Without it, the keywords go to the function itself."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Settings other than the defaults, for these tests: a quick estimator, say."""
    split_seed: str = "split_seed"
    """The setting that seeds the split."""
    prepare: str = ""
    """The function that makes of a table as it is read one as training takes it; by default training takes any."""
    outcome: OutcomeConfig = Field(default_factory=OutcomeConfig)
    """Where in the outcome its parts are."""
    features: str = ""
    """A constant with the columns that a model is asked with; by default the model tells, else the held-out rows."""
    suite: str = "data/expectations/training-set.json"
    """The expectation suite that tables are drawn from."""
    rows: int = Field(default=160, ge=20, le=5000)
    """How many rows a table has at most."""
    group: str = ""
    """A column whose values may not be on both sides of the split."""
    time: str = ""
    """A column by which all held-out rows come after those that are trained on."""
    forbidden: list[str] = Field(default_factory=list)
    """Columns that no model may learn from, beside those of the check `explanation` in gates.yml."""
    scores: dict[str, str] = Field(default_factory=dict)
    """Of a metric with a name of its own the score that it is (a name of docs/gates.md, a scorer of scikit-learn, or
    `package.module:function`), or `unchecked`."""
    single_row: Reaction = Field(default=Reaction.REFUSE, strict=False)
    """What training does with a table of one row."""
    constant_feature: Reaction = Field(default=Reaction.ACCEPT, strict=False)
    """What training does with a column that is the same in all rows."""
    unseen_category: Reaction = Field(default=Reaction.ACCEPT, strict=False)
    """What a model does with a category that no row of its training had."""
    missing_value: Reaction | None = Field(default=None, strict=False)
    """What a model does with a missing value; by default it takes one where the suite allows it."""
    skip: dict[str, str] = Field(default_factory=dict)
    """Properties that do not hold, by the name of the test without `test_`, each with the reason, which is shown."""

    @field_validator("training", "settings", "prepare", "features")
    @classmethod
    def _is_dotted(cls, name: str) -> str:
        module, _, attribute = name.partition(":")
        if name and not (module and attribute):
            raise ValueError(f"write package.module:name, not '{name}'")
        return name

    @field_validator("skip")
    @classmethod
    def _has_reasons(cls, skip: dict[str, str]) -> dict[str, str]:
        for name, reason in skip.items():
            if not reason.strip():
                raise ValueError(f"say why '{name}' does not hold")
        return skip


def read_training(file: Path, shown: str, *, needs_function: bool = True) -> TrainingConfig:
    """Return what `file` declares; `shown` is its name in messages. Raises `ConfigurationError` for what is wrong.

    Where no function is needed, a file that is not there stands for all defaults.
    """
    if not needs_function and not file.is_file():
        return TrainingConfig()
    content = read_yaml(file, shown, "it says which function the unit suite for training code tests (docs/testing.md)")
    config = parsed(shown, TrainingConfig, content)
    if needs_function and not config.training:
        raise ConfigurationError(f"{shown}: name the function that trains (training: package.module:function)")
    return config
