"""Which worker runs which tests: with `--dist each` every worker collects a part of its own, and imports that alone.

By xdist's other ways each worker collects everything, and so imports MLflow, azure-ai-ml and Great Expectations.
"""

from functools import cache
from pathlib import Path

import pytest

UNIT = Path(__file__).parent
LIGHT, WITH_MLFLOW, WITH_THE_SDK = range(3)
HEAVY = {
    "amlocal/batch_scoring": WITH_MLFLOW,
    "amlocal/online_scoring": WITH_MLFLOW,
    "diabetes": WITH_MLFLOW,
    "diabetes_dataset": WITH_MLFLOW,
    "mlgates": WITH_THE_SDK,
}
WEIGHT = 1.6
"""How much longer a byte of a heavy test takes."""


@cache
def parts(workers: int) -> list[set[Path]]:
    """Return the test files by worker, in parts about as long as each other; what imports more comes later."""
    files = sorted(UNIT.rglob("test_*.py"), key=lambda file: (imports(file), len(file.parents), file))
    sizes = [file.stat().st_size * (WEIGHT if imports(file) else 1) for file in files]
    share, taken, found = sum(sizes) / workers, 0.0, [set[Path]() for _ in range(workers)]
    for file, size in zip(files, sizes, strict=True):
        found[min(int(taken / share), workers - 1)].add(file)
        taken += size
    return found


def imports(file: Path) -> int:
    """Tell how much is imported for a test file."""
    return next((much for folder, much in HEAVY.items() if file.is_relative_to(UNIT / folder)), LIGHT)


def pytest_configure(config: pytest.Config) -> None:
    """Have workers know that they share out the files."""
    if config.getoption("dist", "no") == "each":
        config.pluginmanager.register(Sharing())


class Sharing:
    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        node.workerinput["shares"] = True  # type: ignore[attr-defined]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of other workers."""
    worker: dict[str, object] = getattr(config, "workerinput", {})
    if "shares" not in worker or collection_path.suffix != ".py":
        return None
    own = parts(int(str(worker["workercount"])))[int(str(worker["workerid"]).removeprefix("gw"))]
    return None if collection_path in own or not collection_path.name.startswith("test_") else True
