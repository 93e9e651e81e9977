"""What the running interpreter is: called in this process, or run on its own by another interpreter.

It runs on any Python 3.8 or later, and imports nothing but the standard library.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path


def facts() -> dict[str, str | list[str]]:
    """The facts that make a `Runtime`, fit for JSON."""
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    # ensurepip ships a wheel of pip; distributions that take it out say where they keep theirs.
    bundled = Path(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    wheels = [str(bundled), sysconfig.get_config_var("WHEEL_PKG_DIR")]
    return {
        "python": sys.executable,
        "base_python": _base_python(),
        "prefix": sys.prefix,
        "version": ".".join(map(str, sys.version_info[:3])),
        "site_folder": sysconfig.get_path("purelib", scheme, {"base": ""}).lstrip("/"),
        "scripts": sysconfig.get_path("scripts"),
        # By name, so that folders of editable installs, PYTHONPATH and the working directory stay out: a job must
        # find everything in its environment or its snapshot, as it must on Azure.
        "site_packages": [entry for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}],
        "wheels": list(filter(None, wheels)),
    }


def _base_python() -> str:
    """The interpreter under any virtual environment. venv itself relies on this attribute, private though it is."""
    base: str = vars(sys)["_base_executable"]
    # Before Python 3.11 it is the virtual environment's own.
    in_environment = sys.prefix != sys.base_prefix
    return os.path.realpath(base) if in_environment and base == sys.executable else base
