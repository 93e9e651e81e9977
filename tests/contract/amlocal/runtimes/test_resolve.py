"""Which environment a definition gets."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlocal.runtimes import (
    BuildCancelled,
    BuildContext,
    EnvironmentSpec,
    EnvironmentUnsatisfiable,
    PythonNotInstalled,
    Runtime,
    current_runtime,
    parse_conda,
    resolve,
)
from amlocal.runtimes.runtime import runtime_at
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse


@pytest.mark.parametrize(
    ("name", "curated"),
    [
        ("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", True),
        ("azureml://registries/azureml/environments/sklearn-1.5/versions/8", True),
        ("train-env", False),
        ("my-AzureML-env", False),
    ],
)
def test_curated_environments_are_known_by_name(name: str, curated: bool) -> None:
    assert EnvironmentSpec(name=name).is_curated is curated


def test_messages_name_the_version_where_there_is_one() -> None:
    assert [EnvironmentSpec(name="e", version=version).label for version in ("3", "")] == ["e:3", "e"]


class Resolver:
    """Resolves conda texts offline and keeps the log."""

    def __init__(self, cache: Path, environ: dict[str, str]) -> None:
        self.cache, self.environ, self.log, self.cancelled = cache, environ, list[str](), threading.Event()

    def __call__(self, spec: EnvironmentSpec, *, strict: bool = False) -> Runtime:
        return resolve(
            spec,
            cache=self.cache,
            strict=strict,
            log=self.log.append,
            cancelled=self.cancelled,
            environ=self.environ,
        )

    @property
    def builds(self) -> int:
        return sum(line.startswith("Building") for line in self.log)


@pytest.fixture
def resolver(cache: Path, offline: dict[str, str]) -> Resolver:
    return Resolver(cache, offline)


def _conda(*dependencies: str) -> EnvironmentSpec:
    text = "dependencies: [" + ", ".join(dependencies) + "]"
    return EnvironmentSpec(name="train-env", version="3", image="image:1", conda_file=parse_conda(text))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EnvironmentSpec(name="AzureML-sklearn-1.5"), "curated"),
        (
            EnvironmentSpec(
                name="azureml://registries/azureml/environments/x", conda_file=parse_conda("dependencies: [absent]")
            ),
            "curated",
        ),
        (EnvironmentSpec(name="e", image="image:1"), "image:1"),
        (EnvironmentSpec(name="e", image="image:1", conda_file=parse_conda("dependencies: [pip, openmpi]")), "image:1"),
    ],
)
def test_an_environment_that_names_no_packages_is_the_current_interpreter(
    resolver: Resolver, spec: EnvironmentSpec, said: str
) -> None:
    assert resolver(spec) == current_runtime()
    assert said in resolver.log[-1]
    assert "packages that only the image has are not available" in resolver.log[-1]


def test_what_already_holds_is_the_current_interpreter(resolver: Resolver) -> None:
    assert resolver(_conda("packaging>=25", "{pip: [pyyaml]}")) == current_runtime()
    assert "everything it requires is in the current interpreter" in resolver.log[-1]


def test_what_does_not_hold_is_built(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny", "1.2")
    runtime = resolver(_conda("tiny=1.2"))
    assert (runtime.site_packages[0] / "tiny").is_dir()
    assert "tiny==1.2.* (not installed)" in resolver.log[0]


def test_a_built_environment_starts_and_its_commands_too(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny", "1.2")
    runtime = resolver(_conda("tiny"))
    assert runtime == runtime_at(runtime.scripts / "python", runtime.description)
    assert (runtime.scripts / "tiny").exists()


def test_a_cache_may_be_named_from_the_working_directory(
    resolver: Resolver, house: WheelHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tiny", "1.2")
    monkeypatch.chdir(tmp_path)
    resolver.cache = Path("near")
    assert resolver(_conda("tiny")).python.is_relative_to(tmp_path / "near")


def test_the_second_time_nothing_is_built(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny", "1.2")
    house.add("other", "1.0")
    first = resolver(_conda("tiny=1.2", "other"))
    assert resolver(_conda("other", "tiny=1.2.*")) == first
    assert resolver.builds == 1


def test_two_jobs_at_once_build_once(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny", "1.2")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(resolver, [_conda("tiny")] * 2)
    assert (first, resolver.builds) == (second, 1)


def test_what_cannot_be_had_fails_with_the_reason_in_message_and_log(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny", "1.2")
    with pytest.raises(
        EnvironmentUnsatisfiable, match=r"environment train-env:3 cannot be built on Python .*tiny==9"
    ) as caught:
        resolver(_conda("tiny=9"))
    assert "only tiny==1.2 is available" in str(caught.value)
    assert "only tiny==1.2 is available" in "\n".join(resolver.log)


def test_a_failure_on_another_python_than_was_asked_for_says_so(resolver: Resolver) -> None:
    with pytest.raises(EnvironmentUnsatisfiable) as caught:
        resolver(_conda("python=3.29", "{pip: [absent==0.24.2]}"))
    said = str(caught.value)
    assert said.startswith("environment train-env:3 cannot be built on Python 3.")
    assert "(taken for python==3.29.*, which is not installed here): No solution found" in said
    assert "absent==0.24.2" in said


def test_a_failed_build_is_tried_again(resolver: Resolver, house: WheelHouse) -> None:
    with pytest.raises(EnvironmentUnsatisfiable):
        resolver(_conda("tiny"))
    house.add("tiny")
    assert (resolver(_conda("tiny")).site_packages[0] / "tiny").is_dir()


def test_constraints_and_options_reach_uv(resolver: Resolver, house: WheelHouse, tmp_path: Path) -> None:
    context = tmp_path / "context"
    inside = WheelHouse(context / "wheels")
    inside.add("tiny", "1.0")
    inside.add("tiny", "2.0a1")
    inside.add("tiny", "3.0")
    (context / "limits.txt").write_text("tiny<3\n")
    (context / "Dockerfile").write_text("COPY . .\nRUN pip install --pre --find-links /wheels -c limits.txt tiny\n")
    runtime = resolver(EnvironmentSpec(name="e", build=BuildContext(context)))
    assert [path.name for path in runtime.site_packages[0].glob("tiny-*")] == ["tiny-2.0a1.dist-info"]


def test_with_a_further_index_the_best_of_all_is_taken_as_pip_does(resolver: Resolver, tmp_path: Path) -> None:
    house = WheelHouse(tmp_path / "flat")
    for index, version in (("one", "1.0"), ("two", "2.0")):
        folder = tmp_path / index / "tiny"
        wheel = house.add("tiny", version)
        folder.mkdir(parents=True)
        wheel.rename(folder / wheel.name)
        (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    (tmp_path / "uv.toml").touch()
    resolver.environ["UV_CONFIG_FILE"] = str(tmp_path / "uv.toml")
    pip = f"--index-url {(tmp_path / 'two').as_uri()}", f"--extra-index-url {(tmp_path / 'one').as_uri()}"
    runtime = resolver(_conda(f"{{pip: ['{pip[0]}', '{pip[1]}', tiny]}}"))
    assert [path.name for path in runtime.site_packages[0].glob("tiny-*")] == ["tiny-2.0.dist-info"]


def test_a_python_alone_is_an_environment_too(resolver: Resolver) -> None:
    assert resolver(_conda("python>=3.8")) == current_runtime()


def test_the_nearest_python_is_said_in_the_log(resolver: Resolver) -> None:
    resolver.environ["PATH"] = str(current_runtime().base_python.parent)
    resolver(_conda("python=3.2"))
    assert "python==3.2.* is not installed here" in resolver.log[0]


def test_strictness_refuses_the_nearest_python(resolver: Resolver) -> None:
    resolver.environ["PATH"] = str(current_runtime().base_python.parent)
    with pytest.raises(PythonNotInstalled, match=r"python==3\.2\.\*"):
        resolver(_conda("python=3.2"), strict=True)


def _python_beside(base: Path) -> Path | None:
    """A Python of another minor version, where a manager keeps them side by side as VERSION/bin/python3.12."""
    pythons = base.resolve().parents[2].glob("*/bin/python3.1?")
    return max((path for path in pythons if path.name != base.resolve().name), default=None)


def test_another_python_gets_an_environment_of_its_own(resolver: Resolver) -> None:
    other = _python_beside(current_runtime().base_python)
    if other is None:
        pytest.skip("needs a second Python, not found beside the running one")
    resolver.environ["PATH"] = str(other.parent)
    minor = other.name.removeprefix("python")
    assert resolver(_conda(f"python={minor}")).version.startswith(f"{minor}.")


def test_a_cancelled_build_leaves_nothing(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny")
    resolver.cancelled.set()
    with pytest.raises(BuildCancelled, match="train-env:3"):
        resolver(_conda("tiny"))
    assert [path.suffix for path in (resolver.cache / "environments").iterdir()] == [".lock"]


def test_an_environment_whose_python_is_gone_says_what_to_do(resolver: Resolver, house: WheelHouse) -> None:
    house.add("tiny")
    runtime = resolver(_conda("tiny"))
    runtime.python.unlink()
    with pytest.raises(EnvironmentUnsatisfiable, match=f"does not start .*; delete {runtime.prefix}"):
        resolver(_conda("tiny"))
