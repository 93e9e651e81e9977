"""How an Azure ML environment becomes a Python environment on this machine.

`resolve` turns an `EnvironmentSpec` into a `Runtime`; `create_layer` lays a job's own environment over it; `environ` is
what a program needs to run in it.
"""

from amlocal.runtimes.definitions.conda import CondaFile, parse_conda
from amlocal.runtimes.definitions.dockerfile import BuildContext
from amlocal.runtimes.errors import (
    BuildCancelled,
    EnvironmentFault,
    EnvironmentUnsatisfiable,
    InvalidDefinition,
    PythonNotInstalled,
)
from amlocal.runtimes.layer import create_layer
from amlocal.runtimes.resolve import EnvironmentSpec, resolve
from amlocal.runtimes.runtime import Log, Runtime, current_runtime, environ

__all__ = [
    "BuildCancelled",
    "BuildContext",
    "CondaFile",
    "EnvironmentFault",
    "EnvironmentSpec",
    "EnvironmentUnsatisfiable",
    "InvalidDefinition",
    "Log",
    "PythonNotInstalled",
    "Runtime",
    "create_layer",
    "current_runtime",
    "environ",
    "parse_conda",
    "resolve",
]
