"""Which worker runs which tests, and what none of them may do.

With `--dist each` every worker collects a part of its own, and imports that alone. By xdist's other ways each worker
collects everything, and so imports scikit-learn and azure-ai-ml.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

UNIT = Path(__file__).parent
LIGHT, WITH_PANDAS, WITH_SCIKIT_LEARN, WITH_THE_SDK = range(4)
HEAVY = {
    "amlocal/batch_scoring": WITH_PANDAS,
    "amlocal/online_scoring": WITH_PANDAS,
    "diabetes": WITH_SCIKIT_LEARN,
    "diabetes_dataset": WITH_SCIKIT_LEARN,
    "mlgates": WITH_THE_SDK,
}
WEIGHT = 1.4
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


REFUSED = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "os.system", "socket.bind", "socket.connect"}
running: set[str] = set()
"""The unit test that runs in this process, when one does."""


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Fail the unit test that starts a process or opens a connection: its place is `tests/contract`."""
    if running and event in REFUSED:
        raise AssertionError(f"a unit test may not do this, a contract test may: {event} {arguments}")


sys.addaudithook(refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Say that a unit test runs: processes of other suites do as they need to."""
    running.update({item.nodeid} if item.path.is_relative_to(UNIT) else ())
    try:
        return (yield)
    finally:
        running.clear()
