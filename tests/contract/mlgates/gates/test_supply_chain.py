from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from skops.io import dump

from mlgates.core.gates import CheckResult
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.cache import Cache
from mlgates.gates.checks.supply_chain import SupplyChainConfig, check, stored_formats, untrusted_types
from mlgates.gates.evidence import Evidence
from mlgates.gates.resolution import Resolution, python_of, read_answer, resolve
from tests.unit.mlgates.gates.fakes import FakeModel, evidence

TREE = "sklearn.tree._tree.Tree"
GOOD = Resolution(7, yanked={})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose file has a type that skops does not trust by itself."""
    folder = tmp_path_factory.mktemp("tree")
    dump(DecisionTreeClassifier().fit([[0], [1]], [0, 1]), folder / "model.skops")
    return described(folder, "skops")


def described(folder: Path, form: str) -> Path:
    if form != "skops":
        (folder / f"model.{form}").write_bytes(b"\x80\x04")
    flavor = {"serialization_format": form, "pickled_model": f"model.{form}"}
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": {"sklearn": flavor}}))
    return folder


def of(folder: Path, resolution: Resolution = GOOD, cache: Cache | None = None) -> Evidence:
    return replace(
        evidence([0], [0]),
        the_candidate=FakeModel(folder=folder),
        fetch_resolution=lambda _: resolution,
        cache=cache or Cache(),
    )


def judged(found: Evidence, *trusted: str) -> dict[str, CheckResult]:
    return {result.name: result for result in check(SupplyChainConfig(trusted_types=list(trusted)), found)}


class TestTypes:
    def test_a_type_that_is_not_listed_does_not_hold(self, tree: Path) -> None:
        found = judged(of(tree))["types"]
        assert not found.holds
        assert found.reason == f"not trusted: {TREE}"

    def test_a_listed_type_holds(self, tree: Path) -> None:
        assert judged(of(tree), TREE)["types"].holds

    def test_what_skops_trusts_needs_no_list(self, tmp_path: Path) -> None:
        dump(LogisticRegression().fit([[0], [1]], [0, 1]), tmp_path / "model.skops")
        assert judged(of(described(tmp_path, "skops")))["types"].holds

    def test_a_pickle_runs_any_code_and_does_not_hold(self, tmp_path: Path) -> None:
        found = judged(of(described(tmp_path, "cloudpickle")))["types"]
        assert not found.holds
        assert "runs any code" in found.reason

    @pytest.mark.parametrize("name", ["python_model.pkl", "data/model.joblib", "artifacts/anything"])
    def test_a_pickle_anywhere_in_the_folder_does_not_hold_unless_declared(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "MLmodel").write_text("flavors: {python_function: {loader_module: mine}}")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x80\x05.")
        assert (
            judged(of(tmp_path))["types"].reason == f"{name} is stored by pickle, which runs any code when it is loaded"
        )
        config = SupplyChainConfig(trusted_formats=["pickle"])
        assert next(iter(check(config, of(tmp_path)))).holds

    def test_a_model_stored_as_data_holds(self, tmp_path: Path) -> None:
        (tmp_path / "MLmodel").write_text("flavors: {lightgbm: {data: model.lgb}}")
        (tmp_path / "model.lgb").write_text("tree")
        assert judged(of(tmp_path))["types"].evidence["stored"] == {"model.lgb": "data"}

    def test_a_file_that_is_no_skops_cannot_be_looked_into(self, tmp_path: Path) -> None:
        (tmp_path / "model.skops").write_text("no archive")
        with pytest.raises(CouldNotRun, match=r"model\.skops cannot be read by skops: BadZipFile"):
            judged(of(described(tmp_path, "skops")))

    def test_a_folder_that_is_no_model_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotRun, match="MLmodel does not say how the model is stored"):
            stored_formats(tmp_path)

    def test_the_types_of_the_same_model_are_looked_up_once(self, tree: Path, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        judged(of(tree, cache=cache))
        (tmp_path / "model.skops").write_text("never looked into")
        assert judged(of(described(tmp_path, "skops"), cache=cache))["types"].reason == f"not trusted: {TREE}"
        assert untrusted_types(tree / "model.skops") == [TREE]


class TestRequirements:
    def test_what_cannot_be_installed_does_not_hold_and_says_nothing_of_yanked(self, tree: Path) -> None:
        found = judged(of(tree, Resolution(0, conflict="there is no numpy 9")))
        assert (found["requirements"].holds, found["requirements"].reason) == (False, "there is no numpy 9")
        assert "yanked" not in found

    def test_a_yanked_release_does_not_hold(self, tree: Path) -> None:
        found = judged(of(tree, Resolution(7, yanked={"requests==2.32.0": "a conflict"})))
        assert found["requirements"].holds
        assert not found["yanked"].holds
        assert "requests==2.32.0 (a conflict)" in found["yanked"].reason

    def test_releases_that_nobody_withdrew_hold(self, tree: Path) -> None:
        assert judged(of(tree))["yanked"].holds

    def test_an_answer_holds_for_the_same_requirements(self, tree: Path, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        judged(of(tree, cache=cache))
        assert judged(of(tree, Resolution(0, conflict="now gone"), cache=cache))["requirements"].holds


class TestUv:
    def test_a_resolution_counts_its_releases(self) -> None:
        assert read_answer(0, "numpy==2.4.6\npandas==2.3.3\n", "") == Resolution(2, yanked={})

    def test_a_warning_names_what_was_yanked_and_why(self) -> None:
        said = 'Resolved 2 packages\nwarning: `a==1` is yanked (reason: "bad")\nwarning: `b==2` is yanked\n'
        assert read_answer(0, "a==1\nb==2", said).yanked == {"a==1": "bad", "b==2": "no reason given"}

    def test_a_conflict_is_reported_on_one_line(self) -> None:
        said = (
            "error: No solution found when resolving dependencies\n  cause: Because there is no\n version of numpy==9"
        )
        assert read_answer(1, "", said).conflict == "Because there is no version of numpy==9"

    def test_an_index_that_does_not_answer_is_no_verdict(self) -> None:
        with pytest.raises(CouldNotRun, match="could not be looked up: error: Request failed") as stopped:
            read_answer(2, "", "error: Request failed after 3 retries")
        assert "reach the package index" in stopped.value.remedy

    def test_a_model_without_requirements_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotRun, match=r"the model has no requirements\.txt"):
            resolve(tmp_path, tmp_path)

    @pytest.mark.parametrize(("text", "version"), [("python: 3.12.1\n", "3.12"), ("pip:\n", None)])
    def test_the_python_is_that_of_the_model(self, tmp_path: Path, text: str, version: str | None) -> None:
        (tmp_path / "python_env.yaml").write_text(text)
        assert python_of(tmp_path) == version

    def test_a_model_that_names_no_python_is_resolved_for_this_one(self, tmp_path: Path) -> None:
        assert python_of(tmp_path) is None

    def test_without_an_index_uv_still_says_what_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_NO_INDEX", "1")
        (tmp_path / "requirements.txt").write_text("a-distribution-that-nobody-made==1\n")
        (tmp_path / "python_env.yaml").write_text("python: 3.11.7\n")
        assert "a-distribution-that-nobody-made" in resolve(tmp_path, tmp_path).conflict
