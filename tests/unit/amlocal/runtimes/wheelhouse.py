"""Tiny wheels made by hand, so that uv and pip have something to install without any index."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_COMMAND = "import sys\ndef main():\n    print(__name__, __version__, sys.prefix)\n"


class WheelHouse:
    """A folder of wheels. Each holds one module of its name with `__version__`, and a command of its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, version: str = "1.0", *, requires: Sequence[str] = (), extras: Sequence[str] = ()) -> Path:
        """Make a wheel; `requires` are lines of Requires-Dist."""
        wheel = self.folder / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {line}" for line in requires] + [f"Provides-Extra: {extra}" for extra in extras]
        files = {
            f"{name}/__init__.py": f"__version__ = {version!r}\n{_COMMAND}",
            f"{info}/METADATA": "\n".join(metadata) + "\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
        }
        record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in {**files, f"{info}/RECORD": record}.items():
                archive.writestr(path, content)
        return wheel

    def unpack(self, site_packages: Path, name: str, version: str = "1.0", *, requires: Sequence[str] = ()) -> None:
        """Put a distribution into a folder, as an installer does."""
        with zipfile.ZipFile(self.add(name, version, requires=requires)) as archive:
            archive.extractall(site_packages)

    def environ(self, uv_cache: Path, base: Mapping[str, str]) -> dict[str, str]:
        """Environment variables under which uv and pip know these wheels and nothing else."""
        settings = self.folder / "uv.toml"
        settings.write_text(f"no-index = true\nfind-links = [{str(self.folder)!r}]\n", encoding="utf-8")
        return {
            **base,
            "UV_CONFIG_FILE": str(settings),
            "UV_CACHE_DIR": str(uv_cache),
            "UV_PYTHON_INSTALL_DIR": str(uv_cache / "pythons"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder),
            "PIP_CONFIG_FILE": os.devnull,
        }
