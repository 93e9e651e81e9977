"""Requirements files and the lines that they may hold."""

from pathlib import Path

import pytest

from amlocal.runtimes.definitions import pip_requirements
from amlocal.runtimes.definitions.pip_requirements import RequirementSource, read_lines
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements


def _read(*lines: str, context: Path | None = None) -> PackageRequirements:
    return read_lines(lines, RequirementSource("here", context))


@pytest.mark.parametrize(
    "line",
    [
        "idna",
        "idna==3.1",
        "requests[socks] >=2,<3 ; python_version < '3.13'",
        "git+https://example.org/x/y.git@main#egg=y",
        "https://example.org/y-1.0-py3-none-any.whl",
        "y @ git+https://example.org/x/y.git",
        "idna==3.1 --hash=sha256:0123",
    ],
)
def test_requirements_are_kept_as_written(line: str) -> None:
    assert _read(line).requirements == (line,)


def test_comments_and_blank_lines_ask_for_nothing() -> None:
    assert _read("", "   ", "# idna", "attrs  # why").requirements == ("attrs",)


def test_files_are_followed_from_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "deps").mkdir()
    (tmp_path / "top.txt").write_text("-r deps/a.txt\nlast\n")
    (tmp_path / "deps" / "a.txt").write_text("first \\\n  >=1\n--requirement b.txt\n-c limits.txt\n")
    (tmp_path / "deps" / "b.txt").write_text("\ufeffsecond\r\n", encoding="utf-8")
    (tmp_path / "deps" / "limits.txt").write_text("third<2\n")
    required = _read("-rtop.txt", context=tmp_path)
    assert [text.replace(" ", "") for text in required.requirements] == ["first>=1", "second", "last"]
    assert required.constraints == ("third<2",)


@pytest.mark.parametrize(
    "line", ["./wheels/p-1.0-py3-none-any.whl", "wheels/p-1.0-py3-none-any.whl", "file:wheels/p-1.0-py3-none-any.whl"]
)
def test_a_local_archive_is_found_in_the_context(tmp_path: Path, line: str) -> None:
    wheel = tmp_path / "wheels" / "p-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    assert _read(line, context=tmp_path).requirements == (str(wheel),)


def test_an_editable_folder_becomes_a_copy_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    required = _read("-e ./pkg[dev]", context=tmp_path)
    assert required.requirements == (f"{tmp_path / 'pkg'}[dev]",)
    assert "installed as a copy" in required.notes[0]


def test_a_folder_of_links_is_found_in_the_context(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    required = _read("--find-links wheels", "-f https://example.org/links.html", "--no-index", context=tmp_path)
    assert required.options == (
        f"--find-links {tmp_path / 'wheels'}",
        "--find-links https://example.org/links.html",
        "--no-index",
    )


@pytest.mark.parametrize(
    "line", ["-r requirements.txt", "-c limits.txt", "-e .", "./pkg", "p-1.0-py3-none-any.whl", "--find-links ./wheels"]
)
def test_files_without_a_context_are_refused(line: str) -> None:
    with pytest.raises(InvalidDefinition, match="travels without files"):
        _read(line)


@pytest.mark.parametrize("line", ["-r ../outside.txt", "-r missing.txt", "../pkg", "/etc/hosts", "~/pkg"])
def test_files_outside_the_context_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "outside.txt").touch()
    context = tmp_path / "context"
    context.mkdir()
    with pytest.raises(InvalidDefinition, match="not in the build context"):
        _read(line, context=context)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("idna = 3", "not a requirement"),
        ("idna @ file:///home/me/idna", "one machine"),
        ("--target elsewhere", "unrecognized arguments"),
        ("--index-url", "expected one argument"),
        ("--index-url 'https://example.org", "No closing quotation"),
        ("--pre idna", "mixes an option and a requirement"),
    ],
)
def test_other_lines_are_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(InvalidDefinition, match=reason) as caught:
        _read(line)
    assert str(caught.value).startswith("here: ")


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt")
    (tmp_path / "b.txt").write_text("-r a.txt")
    with pytest.raises(InvalidDefinition, match="in turn"):
        _read("-r a.txt", context=tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDefinition, match="cannot be read"):
        _read("-r a.txt", context=tmp_path)


def test_files_that_include_others_over_and_over_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_requirements, "_MAX_LINES", 200)  # of 10,000, whose reading takes seconds
    for number in range(8):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n" * 10)
    (tmp_path / "8.txt").write_text("numpy\n")
    with pytest.raises(InvalidDefinition, match="more than 200 lines"):
        _read("-r 0.txt", context=tmp_path)


def test_a_file_may_be_included_twice(tmp_path: Path) -> None:
    for name, text in (("a.txt", "-r c.txt\none"), ("b.txt", "-r c.txt\ntwo"), ("c.txt", "three")):
        (tmp_path / name).write_text(text)
    assert _read("-r a.txt", "-r b.txt", context=tmp_path).requirements == ("three", "one", "three", "two")


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("numpy\n" * 200_000)
    with pytest.raises(InvalidDefinition, match=r"cannot be read: a\.txt is longer than"):
        _read("-r a.txt", context=tmp_path)
