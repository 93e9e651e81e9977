import subprocess
import sys
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

from mlgates.scaffold.origin import repack


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
