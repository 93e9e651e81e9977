"""What the properties of training code share: the code as declared, drawn tables, and how hard hypothesis looks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from mlgates.config.project import find_project
from mlgates.core.errors import MlgatesError
from mlgates.core.nearest import did_you_mean
from mlgates.gates.declaration import Gates, read_gates
from mlgates.suites.drawn_tables import TableSchema, draw_table, read_schema
from mlgates.suites.training_code import TrainingCode
from mlgates.suites.training_config import read_training

EXAMPLES = 3
"""Tables that hypothesis draws for a property: each is trained on two times and more."""
held = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a smaller seed is no simpler table: nothing to shrink
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow),
)


@dataclass(frozen=True, slots=True)
class Draw:
    """What hypothesis draws of a table."""

    seed: int
    fewer: int
    """Percent of rows less than the declared number."""

    @property
    def chance(self) -> np.random.Generator:
        """What else is drawn at random for this table."""
        return np.random.default_rng(self.seed + 1)


draws = st.builds(Draw, st.integers(0, 2**32 - 2), st.integers(0, 20))


class TrainingFixtures:
    """The fixtures; properties are the tests of the classes that inherit from it."""

    needs_function: ClassVar[bool] = False
    """Whether properties are about the declared training function."""

    @pytest.fixture(scope="class")
    @classmethod
    def code(cls, pytestconfig: pytest.Config) -> Iterator[TrainingCode]:
        """The project's training code."""
        project = find_project(pytestconfig.rootpath)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(project.root / "src"))
            try:
                shown = project.shown(project.training_file)
                needs = any(vars(each).get("needs_function") for each in cls.__mro__)
                config = read_training(project.training_file, shown, needs_function=needs)
                gates = read_gates(project.gates_file, project.shown(project.gates_file))
                _check_names(config.skip)
            except MlgatesError as error:
                raise pytest.fail.Exception(str(error), pytrace=False) from None
            forbidden = list(dict.fromkeys([*config.forbidden, *_forbidden(gates)]))
            yield TrainingCode(config.model_copy(update={"forbidden": forbidden}), gates.evaluation, project.root)

    @pytest.fixture(scope="class")
    @classmethod
    def schema(cls, code: TrainingCode) -> TableSchema:
        """What tables are drawn from."""
        config = code.config
        apart = [*config.forbidden, *filter(None, (config.group, config.time))]
        try:
            return read_schema(code.root / config.suite, code.evaluation, apart)
        except MlgatesError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    @pytest.fixture(autouse=True)
    def _switched_off(self, request: pytest.FixtureRequest, code: TrainingCode) -> None:
        name = request.node.originalname.removeprefix("test_")
        if name in code.config.skip:
            pytest.skip(f"skipped by mlops/training.yml: {code.config.skip[name]}")


def _check_names(skip: dict[str, str]) -> None:
    from mlgates.suites.property_names import PROPERTIES  # noqa: PLC0415 - it imports those that inherit from here

    for name in skip:
        if name not in PROPERTIES:
            raise MlgatesError(
                f"mlops/training.yml, skip: there is no property '{name}'. {did_you_mean(name, PROPERTIES)}"
            )


def _forbidden(gates: Gates) -> Iterator[str]:
    for gate in gates.gates.values():
        for check in gate.checks:
            if check.kind == "explanation":
                yield from getattr(check.config, "forbidden", ())


def drawn(code: TrainingCode, schema: TableSchema, draw: Draw) -> pd.DataFrame:
    """Return the table of a draw; of a declared group each value has some rows."""
    rows = max(20, code.config.rows * (100 - draw.fewer) // 100)
    table = draw_table(schema, draw.seed, rows)
    if (group := code.config.group) and group in table:
        table[group] = table[group].to_numpy()[draw.chance.integers(0, max(2, rows // 5), rows)]
    return table
