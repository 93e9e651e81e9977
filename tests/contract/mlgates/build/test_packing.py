"""What a build holds: the commit, whole, whatever settings, flags and the folder make of it; or nothing at all."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgates.build.archive import Build, unpack
from mlgates.build.packing import data_beside, make, unpacked
from mlgates.config.project import Project
from mlgates.config.settings import load_settings
from mlgates.core.checkout import source_state
from mlgates.core.errors import BuildRefused, ConfigurationError, NoCheckout, SourceUnknown
from mlgates.core.values import SourceState
from tests.contract.mlgates.git_folder import committed, git

Change = Callable[[Path], object]


@pytest.fixture
def checkout(project: Project) -> Project:
    (project.root / "src" / "code.py").write_text("code")
    (project.root / "secret.env").write_text("no part of a build")
    committed(project.root)
    return project


def build(project: Project) -> Build:
    return make(project, source_state(project.root, {}), dist_of(project))


def dist_of(project: Project) -> Path:
    return project.root.with_name(f"{project.root.name}-dist")


def contents(project: Project) -> dict[str, bytes]:
    """Build a project, unpack it, and return all that came out."""
    made = build(project)
    out = project.root.parent / f"out-{made.sha256[:8]}"
    unpack(made.file, out)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def refused(project: Project, reason: str) -> None:
    already = list(dist_of(project).glob("*"))
    with pytest.raises((BuildRefused, SourceUnknown), match=reason):
        build(project)
    assert list(dist_of(project).glob("*")) == already


def test_a_build_holds_the_projects_parts(checkout: Project) -> None:
    files = contents(checkout)
    assert {"src/code.py", "mlops/config-mlops.yml", "data/batch.csv"} <= files.keys()
    assert "secret.env" not in files


def test_a_build_is_a_project_with_the_same_settings(checkout: Project) -> None:
    with unpacked(build(checkout).file) as held:
        built = load_settings(held.project, "local", environ={})
    assert built.model_name == load_settings(checkout, "local", environ={}).model_name


def test_the_folder_of_an_unpacked_build_ends_with_its_use(checkout: Project) -> None:
    with unpacked(build(checkout).file) as held:
        assert held.project.names_file.is_file()
    assert not held.project.root.exists()


def write(name: str, text: str = "local") -> Change:
    return lambda root: (root / name).write_text(text)


def flag(name: str) -> Change:
    def hide(root: Path) -> None:
        write("src/code.py")(root)
        git(root, "update-index", name, "src/code.py")

    return hide


def sparse(root: Path) -> None:
    git(root, "sparse-checkout", "set", "--no-cone", "/mlops")
    assert not (root / "src").exists()


def lead_out(root: Path) -> None:
    (root / "src" / "code.py").unlink()
    (root / "src" / "code.py").symlink_to("/etc/hosts")


def stage(root: Path) -> None:
    write("src/code.py")(root)
    git(root, "add", "src/code.py")


CHANGES: dict[str, Change] = {
    "changed": write("src/code.py"),
    "staged": stage,
    "new": write("src/untracked.py"),
    "gone": lambda root: git(root, "rm", "--quiet", "src/code.py"),
    "a link in its place": lead_out,
    "assume-unchanged": flag("--assume-unchanged"),
    "skip-worktree": flag("--skip-worktree"),
    "sparse checkout": sparse,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_build_is_of_the_commit_and_says_that_the_folder_is_not(checkout: Project, change: Change) -> None:
    before = contents(checkout)
    change(checkout.root)
    made = build(checkout)
    assert contents(checkout) == before
    assert made.manifest.source.dirty
    assert "without the local changes (" in made.summary


def test_the_line_ends_and_filters_of_a_checkout_are_not_the_commits(checkout: Project) -> None:
    (checkout.root / "src" / "windows.py").write_text("a\nb\n")
    (checkout.root / ".gitattributes").write_text("*.py eol=crlf ident\nsrc/secret.py export-ignore\n")
    (checkout.root / "src" / "secret.py").write_text("$Id$")
    committed(checkout.root)
    (checkout.root / "src" / "windows.py").unlink()
    git(checkout.root, "checkout", "--", "src/windows.py")
    assert b"\r\n" in (checkout.root / "src" / "windows.py").read_bytes()
    files = contents(checkout)
    assert (files["src/windows.py"], files["src/secret.py"]) == (b"a\nb\n", b"$Id$")


def test_what_a_filter_of_this_machine_makes_of_a_file_is_refused_by_name(checkout: Project) -> None:
    (checkout.root / ".gitattributes").write_text("*.py filter=upper\n")
    committed(checkout.root)
    assert contents(checkout)["src/code.py"] == b"code"  # nobody has set such a filter up
    git(checkout.root, "config", "filter.upper.smudge", "cat")
    assert contents(checkout)["src/code.py"] == b"code"
    git(checkout.root, "config", "filter.upper.smudge", "tr a-z A-Z")
    refused(checkout, r"src/code\.py: the filter 'upper'")


def test_the_same_commit_gives_the_same_bytes_wherever_it_is(
    checkout: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout.root / "src" / "é b.py").write_text("x")
    (checkout.root / "src" / "linked").symlink_to("code.py")
    committed(checkout.root)
    one = build(checkout)
    for name, value in {"LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    before = os.umask(0o077)
    try:
        git(checkout.root, "clone", "--quiet", str(checkout.root), str(checkout.root / "clone b"))
        other = build(Project(checkout.root / "clone b"))
    finally:
        os.umask(before)
    assert one.file.read_bytes() == other.file.read_bytes()


def test_a_project_below_the_top_level_is_built_from_its_own_folder(checkout: Project, tmp_path: Path) -> None:
    alone = contents(checkout)
    whole = tmp_path.parent / f"{tmp_path.name} all"
    git(tmp_path, "clone", "--quiet", str(checkout.root), str(whole / "sub [a]"))
    (whole / "sub [a]" / ".git").rename(whole / "old")
    (whole / "src").mkdir()
    (whole / "src" / "other.py").write_text("of another project")
    committed(whole, "sub [a]", "src")
    assert contents(Project(whole / "sub [a]")) == alone


# Folders of another owner, and no checkout


def test_what_git_does_not_say_is_refused_with_its_reason(
    checkout: Project, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_state(checkout.root, {})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SourceUnknown, match=r"dubious ownership .* safe\.directory"):
        make(checkout, source, checkout.root / "dist")


def test_a_project_outside_of_git_cannot_be_built(project: Project) -> None:
    with pytest.raises(NoCheckout, match="no git checkout"):
        make(project, SourceState("c0ffee", dirty=False), project.root / "dist")


def test_a_build_is_of_the_commit_that_was_looked_at(checkout: Project) -> None:
    with pytest.raises(BuildRefused, match="was to be of c0ffee"):
        make(checkout, SourceState("c0ffee", dirty=False), checkout.root / "dist")


def test_a_damaged_object_is_refused(checkout: Project) -> None:
    name = git(checkout.root, "rev-parse", "HEAD:src/code.py")
    other = git(checkout.root, "rev-parse", "HEAD:mlops/config-mlops.yml")
    objects = checkout.root / ".git" / "objects"
    damaged = objects / name[:2] / name[2:]
    damaged.chmod(0o644)
    damaged.write_bytes((objects / other[:2] / other[2:]).read_bytes())
    refused(checkout, "damaged|mismatch|corrupt")


# Links


def link(project: Project, name: str, target: str) -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / name).symlink_to(target)
    committed(project.root)


@pytest.mark.parametrize(
    ("name", "target", "as_files"),
    [
        ("src/linked.py", "code.py", {"src/linked.py": b"code"}),
        ("src/linked", "../lib", {"src/linked/a.py": b"a", "src/linked/deep/b.py": b"b"}),
        ("src/deep/linked", "../../lib/deep", {"src/deep/linked/b.py": b"b"}),
        ("src/twice", "linked-lib/deep", {"src/twice/b.py": b"b"}),
        ("src/odd", "./../src/../lib//deep/.", {"src/odd/b.py": b"b"}),
    ],
)
def test_a_link_within_the_commit_becomes_what_it_leads_to(
    checkout: Project, name: str, target: str, as_files: dict[str, bytes]
) -> None:
    (checkout.root / "lib" / "deep").mkdir(parents=True)
    (checkout.root / "lib" / "a.py").write_text("a")
    (checkout.root / "lib" / "deep" / "b.py").write_text("b")
    (checkout.root / "src" / "linked-lib").symlink_to("../lib")
    before = contents_after_commit(checkout)
    link(checkout, name, target)
    after = contents(checkout)
    assert {path: after[path] for path in after.keys() - before.keys()} == as_files


def contents_after_commit(project: Project) -> dict[str, bytes]:
    committed(project.root)
    return contents(project)


def test_a_part_may_itself_be_a_link(checkout: Project) -> None:
    (checkout.root / "src").rename(checkout.root / "code")
    link(checkout, "src", "code")
    assert contents(checkout)["src/code.py"] == b"code"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/etc/hosts", "is a link to /etc/hosts, outside of the checkout"),
        ("../../elsewhere", "outside of the checkout"),
        ("..", "leads back to itself"),
        ("nowhere.py", "where the commit holds nothing"),
        ("bad", "leads back to itself"),
        ("../.git/config", "where the commit holds nothing"),
    ],
)
def test_any_other_link_is_refused_by_name(checkout: Project, target: str, reason: str) -> None:
    link(checkout, "src/bad", target)
    refused(checkout, f"src/bad.*{reason}")


def test_links_that_lead_to_each_other_are_refused(checkout: Project) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        (checkout.root / "src" / name).mkdir()
        (checkout.root / "src" / name / "on").symlink_to(f"../{other}")
    committed(checkout.root)
    refused(checkout, "leads back to itself")


# Submodules


@pytest.fixture
def module(checkout: Project) -> Path:
    """A submodule src/module with a submodule `inner` and a link out of it, all checked out."""
    outside = checkout.root.parent / f"{checkout.root.name}-modules"
    for name in ("inner", "module"):
        (outside / name).mkdir(parents=True)
        (outside / name / "lib.py").write_text(name)
        committed(outside / name)
    git(outside / "module", "submodule", "--quiet", "add", str(outside / "inner"), "inner")
    (outside / "module" / "up").symlink_to("../code.py")
    committed(outside / "module")
    git(checkout.root, "submodule", "--quiet", "add", str(outside / "module"), "src/module")
    committed(checkout.root)
    return checkout.root / "src" / "module"


def update(project: Project) -> None:
    git(project.root, "submodule", "--quiet", "update", "--init", "--recursive")


def test_a_submodule_is_packed_as_its_commit_is(checkout: Project, module: Path) -> None:
    update(checkout)
    (module / "lib.py").write_text("local")
    files = contents(checkout)
    assert {path: files[path] for path in files if path.startswith("src/module/") and ".git" not in path} == {
        "src/module/lib.py": b"module",
        "src/module/inner/lib.py": b"inner",
        "src/module/up": b"code",
    }
    assert build(checkout).manifest.source.changes == ("src/module/lib.py",)


def test_the_recorded_commit_of_a_submodule_counts(checkout: Project, module: Path) -> None:
    update(checkout)
    before = contents(checkout)
    (module / "lib.py").write_text("further")
    committed(module, "lib.py")
    assert contents(checkout) == before
    assert build(checkout).manifest.source.dirty


def test_a_submodule_that_is_not_checked_out_is_refused_by_name(checkout: Project, module: Path) -> None:
    refused(checkout, r"the submodule src/module/inner is not there .* 'git submodule update --init --recursive'")
    clone = checkout.root / "clone"
    git(checkout.root, "clone", "--quiet", str(checkout.root), str(clone))
    refused(Project(clone), r"the submodule src/module is not there")


def test_a_submodule_without_the_recorded_commit_is_refused_by_name(checkout: Project, module: Path) -> None:
    git(checkout.root, "update-index", "--cacheinfo", f"160000,{'1' * 40},src/module")
    git(checkout.root, "commit", "--quiet", "-m", "a commit that nobody has")
    refused(checkout, r"the submodule src/module is not there at commit 111111111111")


def test_a_submodule_elsewhere_is_nobodys_business(checkout: Project, module: Path) -> None:
    git(checkout.root, "mv", "src/module", "docs")
    committed(checkout.root)
    git(checkout.root, "submodule", "--quiet", "deinit", "--force", "docs")
    assert not [path for path in contents(checkout) if "module" in path]


# Git LFS

WHOLE = b"weights" * 400


def pointer(content: bytes = WHOLE, *, extended: str = "") -> str:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\n{extended}oid sha256:{oid}\nsize {len(content)}\n"


@pytest.fixture
def large(checkout: Project) -> Path:
    """A file that Git LFS keeps; the machine's git knows nothing of it, as without `git lfs install`."""
    (checkout.root / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    file = checkout.root / "src" / "weights.bin"
    file.write_text(pointer())
    committed(checkout.root)
    return file


def store(folder: Path, content: bytes = WHOLE, *, as_if: bytes = WHOLE) -> None:
    oid = hashlib.sha256(as_if).hexdigest()
    (folder / "objects" / oid[:2] / oid[2:4]).mkdir(parents=True)
    (folder / "objects" / oid[:2] / oid[2:4] / oid).write_bytes(content)


def test_the_content_of_a_pointer_is_packed(checkout: Project, large: Path) -> None:
    store(checkout.root / ".git" / "lfs")
    assert contents(checkout)["src/weights.bin"] == WHOLE


def test_the_settings_say_where_contents_are(checkout: Project, large: Path) -> None:
    git(checkout.root, "config", "lfs.storage", str(checkout.root.parent / "lfs store"))
    store(checkout.root.parent / "lfs store")
    assert contents(checkout)["src/weights.bin"] == WHOLE


def test_the_content_that_lies_there_is_packed_when_it_is_the_right_one(checkout: Project, large: Path) -> None:
    large.write_bytes(WHOLE)
    assert contents(checkout)["src/weights.bin"] == WHOLE


def test_a_pointer_without_its_content_is_refused_by_name(checkout: Project, large: Path) -> None:
    refused(checkout, r"src/weights\.bin: Git LFS keeps it, .* 'git lfs pull'")
    store(checkout.root / ".git" / "lfs", WHOLE[::-1])
    refused(checkout, r"src/weights\.bin: Git LFS keeps it")


def test_an_extended_pointer_is_refused_by_name(checkout: Project, large: Path) -> None:
    large.write_text(pointer(extended=f"ext-0-zip sha256:{'0' * 64}\n"))
    committed(checkout.root)
    store(checkout.root / ".git" / "lfs")
    refused(checkout, r"src/weights\.bin: Git LFS keeps it with an extension")


# Data


def declare(project: Project, path: str) -> None:
    (project.training / "dataset.yml").write_text(yaml.safe_dump({"type": "uri_folder", "path": path}))


def test_the_training_set_is_no_part_of_a_build(checkout: Project) -> None:
    link(checkout, "data/again.csv", "train.csv")
    link(checkout, "src/table.csv", "../data/again.csv")
    assert not [path for path in contents(checkout) if path.endswith((".csv", "train.csv")) and "batch" not in path]


def test_nor_is_a_folder_of_data_or_a_large_file_that_is_not_here(checkout: Project) -> None:
    (checkout.root / "data" / "set").mkdir()
    (checkout.root / "data" / "set" / "part.csv").write_text(pointer())
    link(checkout, "src/all", "../data/set")
    declare(checkout, "../../data/set")
    committed(checkout.root)
    assert not [path for path in contents(checkout) if "part.csv" in path]


@pytest.mark.parametrize(
    "path", ["https://data.example/train.csv", "azureml:train@latest", "/data/train.csv", "../../../x"]
)
def test_data_from_elsewhere_leaves_a_build_as_it_is(checkout: Project, path: str) -> None:
    declare(checkout, path)
    committed(checkout.root)
    assert "data/train.csv" in contents(checkout)


def test_what_is_declared_must_be_yaml(checkout: Project) -> None:
    (checkout.training / "dataset.yml").write_text("path: [")
    committed(checkout.root)
    with pytest.raises(ConfigurationError, match=r"mlops/continuous-training/dataset\.yml is no YAML"):
        build(checkout)


def test_the_data_of_a_build_is_what_lies_in_the_checkout_now(checkout: Project) -> None:
    with unpacked(build(checkout).file) as held:
        assert data_beside(held.project, checkout) == checkout.root / "data" / "train.csv"


def test_data_that_is_a_uri_stays_as_it_is_declared(checkout: Project) -> None:
    declare(checkout, "https://data.example/train.csv")
    assert data_beside(checkout, checkout) is None


# Names


@pytest.mark.parametrize(("name", "reason"), [(b"a\\b.py", "a backslash in a name"), (b"\xff.py", "is no UTF-8")])
def test_a_name_that_no_archive_can_keep_is_refused(checkout: Project, name: bytes, reason: str) -> None:
    (Path(os.fsdecode(os.fsencode(checkout.root / "src") + b"/" + name))).write_text("x")
    committed(checkout.root)
    refused(checkout, reason)


ODD = st.text(st.sampled_from("ab .é'\"$%#*?[]-\n\t:日"), min_size=1, max_size=6).filter(lambda name: name.strip(". "))


@settings(max_examples=15)
@given(st.dictionaries(ODD, st.binary(max_size=30), min_size=1, max_size=4))
def test_any_name_is_packed_with_its_content(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]) -> None:
    project = Project(tmp_path_factory.mktemp("a b é"))
    (project.root / "src").mkdir()
    for name, content in tree.items():
        (project.root / "src" / name).write_bytes(content)
    committed(project.root)
    assert contents(project) == {f"src/{name}": content for name, content in tree.items()}
