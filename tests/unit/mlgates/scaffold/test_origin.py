import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from mlgates.scaffold.origin import read_origin, repack

TOLD = {
    "an editable clone": ({"url": "file:///a%20b/clone", "dir_info": {"editable": True}}, "-e /a b/clone"),
    "a folder": ({"url": "file:///clone/packaging/mlgates", "dir_info": {}}, "mlgates @ file:///clone/packaging/mlgates"),
    "a wheel": ({"url": "file:///w/mlgates-1-py3-none-any.whl", "archive_info": {}}, "mlgates @ file:///w/mlgates-1-py3-none-any.whl"),
    "a URL": ({"url": "https://host/mlgates-1.whl", "archive_info": {}}, "mlgates @ https://host/mlgates-1.whl"),
    "a repository": (
        {"url": "https://host/r.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "sub"},
        "mlgates @ git+https://host/r.git@abc#subdirectory=sub",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("told", "requirement"), TOLD.values(), ids=TOLD.keys())
def test_a_project_gets_mlgates_from_where_it_came(told: dict[str, object], requirement: str) -> None:
    assert read_origin("mlgates", told).requirement == requirement


def test_a_wheel_is_made_again_of_what_is_installed(tmp_path: Path) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    info = site / "thing-1.0.dist-info"
    for file, content in {
        site / "thing" / "__init__.py": "x = 1\n",
        info / "METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        info / "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info / "INSTALLER": "pip",
        info / "RECORD": "thing/__init__.py,,\nthing-1.0.dist-info/METADATA,,\nthing-1.0.dist-info/WHEEL,,\n"
        "thing-1.0.dist-info/INSTALLER,,\n../../bin/thing,,\nthing-1.0.dist-info/RECORD,,\n",
    }.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    out.mkdir()
    wheel = repack(PathDistribution(info), out)
    assert sorted(zipfile.ZipFile(wheel).namelist()) == [
        "thing-1.0.dist-info/METADATA",
        "thing-1.0.dist-info/RECORD",
        "thing-1.0.dist-info/WHEEL",
        "thing/__init__.py",
    ]
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import thing; print(thing.x)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "1\n"
