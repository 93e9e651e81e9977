"""Properties of training code: it reaches for nothing that a job may not have."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlgates.suites.drawn_tables import TableSchema
from mlgates.suites.fitted import difference, facts_of
from mlgates.suites.observed import Observer, observed
from mlgates.suites.training_code import TrainingCode
from mlgates.suites.training_fixtures import Draw, TrainingFixtures, drawn

FIRST = Draw(0, 0)


class SurroundingsProperties(TrainingFixtures):
    """No file of this machine, no working directory, no network, no state that the whole process shares."""

    @pytest.fixture(scope="class")
    @classmethod
    def reached(cls, code: TrainingCode, schema: TableSchema) -> Observer:
        """What a training reached for, in a working folder of its own."""
        table = drawn(code, schema, FIRST)
        with suppress(Exception):  # what is imported or cached at the first time is no matter
            code.train(table)
        with observed(str(_source(code))) as found:
            try:
                code.train(table)
            except Exception as error:
                if not (found.relative or found.absolute or found.network):
                    raise
                found.active = False
                found.failed = f"; it failed: {type(error).__name__}: {error}"
        return found

    def test_no_file_is_found_by_the_working_directory(self, reached: Observer) -> None:
        """A job starts somewhere else: no path is relative to where this process stands, and nothing is left there."""
        assert not reached.relative, f"paths from the working directory: {_listed(reached.relative)}{reached.failed}"

    def test_no_absolute_path_is_used(self, reached: Observer) -> None:
        """A job has none of this machine's files: what training needs is its input, or part of the snapshot."""
        assert not reached.absolute, f"files of this machine: {_listed(reached.absolute)}{reached.failed}"

    def test_no_network_is_used(self, reached: Observer) -> None:
        """What comes over the network today may differ tomorrow, or be gone."""
        assert not reached.network, f"training reached for {_listed(reached.network)}{reached.failed}"

    def test_no_global_random_state_is_used(self, code: TrainingCode, schema: TableSchema) -> None:
        """What is drawn comes from generators of the training's own, and seeds nobody else's."""
        table = drawn(code, schema, FIRST)
        models = []
        before = random.getstate(), np.random.get_state()
        try:
            for seed in (1, 2):
                random.seed(seed)
                np.random.seed(seed)
                states = _states()
                models.append(facts_of(code.train(table).model))
                assert states == _states(), (
                    "training draws from the random state that the process shares, or seeds it: hand a seed to what "
                    "draws (random_state=, numpy.random.default_rng(seed))"
                )
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])
        found = difference(*models)
        assert not found, f"the random state of the process changes {found}"


def _states() -> tuple[object, ...]:
    state: tuple[Any, ...] = tuple(np.random.get_state())
    return random.getstate(), state[0], state[1].tobytes(), state[2:]


def _source(code: TrainingCode) -> Path:
    """Return the folder that is sent to a job: the one that the training's package lies in."""
    return code.file.parents[code.config.training.partition(":")[0].count(".")]


def _listed(found: list[str]) -> str:
    return ", ".join(list(dict.fromkeys(found))[:5])
