"""The structure of a conda environment file, and the requirements that it amounts to for pip.

Match specifications (`numpy=1.26`) become names and PEP 440 specifiers. Sources: conda's documentation, "Package match
specifications", and the rules of its MatchSpec and VersionSpec classes; PEP 440, "Version specifiers".

| conda                      | PEP 440     | why                                                            |
|----------------------------|-------------|----------------------------------------------------------------|
| `=1.26`, `=1.26.*`, `1.26*`| `==1.26.*`  | one `=` is fuzzy: the release and everything below it          |
| `==1.26`, ` 1.26`          | `==1.26`    | two, or a bare version, are exact                              |
| `=1.26.4=py311h64_0`       | `==1.26.4`  | with a build string one `=` is exact too; PyPI has no builds   |
| `>=1.2.*`                  | `>=1.2`     | conda ignores `.*` after an ordering                           |
| `!=1.2.*`, `~=1.4.2`, `>=1,<2` | the same | both read them alike                                           |
| `1.2|1.3`, `^regex`        | refused     | PEP 440 knows no alternatives and no patterns                  |

Of package names only those are listed that differ (conda-forge and the defaults channel from PyPI).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from amlocal.core.decoding import read_json
from amlocal.core.yaml_decoding import read_yaml
from amlocal.runtimes.definitions.pip_requirements import RequirementSource, read_lines
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements

_PYPI_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "brotli-python": "brotli",
        "dask-core": "dask",
        "docker-py": "docker",
        "faiss": "faiss-cpu",
        "libopencv": "opencv-python",
        "matplotlib-base": "matplotlib",
        "mlflow-base": "mlflow",
        "msgpack-python": "msgpack",
        "numpy-base": "numpy",
        "opencv": "opencv-python",
        "pandas-base": "pandas",
        "py-opencv": "opencv-python",
        "py-xgboost": "xgboost",
        "py-xgboost-cpu": "xgboost",
        "py-xgboost-gpu": "xgboost",
        "pyqt": "pyqt5",
        "pytables": "tables",
        "python-annoy": "annoy",
        "python-fastjsonschema": "fastjsonschema",
        "python-flatbuffers": "flatbuffers",
        "python-graphviz": "graphviz",
        "python-kubernetes": "kubernetes",
        "python-lmdb": "lmdb",
        "python-tzdata": "tzdata",
        "python-xxhash": "xxhash",
        "pytorch": "torch",
        "pytorch-cpu": "torch",
        "pytorch-gpu": "torch",
        "ray-core": "ray",
        "ray-default": "ray[default]",
        "ray-tune": "ray[tune]",
        "ruamel_yaml": "ruamel.yaml",
        "seaborn-base": "seaborn",
        "tensorflow-base": "tensorflow",
        "tensorflow-cpu": "tensorflow",
        "tensorflow-gpu": "tensorflow",
    }
)

# Compilers, C libraries, drivers, other languages, and conda's own selectors. A name that PyPI also has (tzdata,
# openssl, graphviz) is here when conda means something else by it than PyPI does.
_NOT_PYTHON_NAMES = """
_libgcc_mutex _openmp_mutex _py-xgboost-mutex _r-mutex arrow-cpp blas binutils bzip2 c-ares c-compiler
ca-certificates compilers cpuonly cudatoolkit cudnn curl cxx-compiler ffmpeg fortran-compiler freetype gcc gfortran
git glib graphviz gxx icu intel-openmp jpeg krb5 libarrow libblas libcblas libcurl libcxx libffi libgcc libgcc-ng
libgfortran libgfortran-ng libgfortran5 libgomp libiconv liblapack libnsl libopenblas libpng libprotobuf libsodium
libsqlite libssh2 libstdcxx libstdcxx-ng libtiff libuuid libuv libwebp libxgboost libxml2 libzlib llvm-openmp lz4-c
make mkl mpi mpich nccl ncurses nodefaults nodejs nomkl openblas openjdk openmpi openssl pandoc pkg-config
python_abi pytorch-cuda pytorch-mutex r-base readline snappy sqlite sysroot tbb tk tzdata unixodbc wget xz yaml
zeromq zlib zstd
"""
_NOT_PYTHON = frozenset(_NOT_PYTHON_NAMES.split())
# gcc_linux-64 and its kin, cuda-* tool packages, R packages, compiler builds
_NOT_PYTHON_PATTERN = re.compile(r"\w+_(linux|osx|win)-\w+|cuda-(?!python).*|r-.+|libcu.*|_.*_select|.*_impl_.*")
_SPEC = re.compile(
    r"""(?:[^\s\[\]]+::)?                  # conda-forge::, conda-forge/linux-64::, https://host/channel::
        (?P<name>\w[\w.\-]*)
        \s*(?P<version>[^\[\]]*?)\s*
        (?:\[(?P<keys>.*)\])?              # [version='>=1.2', build=py311*]""",
    re.VERBOSE,
)
_KEY = re.compile(r"""(\w+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^,'"\s]+))\s*(?:,|$)""")
_BUILD = re.compile(r"(?P<version>.*[^=!<>~,| ])[ =](?P<build>[^ =!<>~,|]+)")
_CLAUSE = re.compile(r"(?P<operator>==|!=|>=|<=|~=|>|<|=|)(?P<version>[^=<>!~]+)")
# Narrower than PEP 440 on purpose: conda's `2023c` is a release, but PEP 440 reads it as the candidate 2023rc0.
_VERSION = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*(?:\.?(?:a|b|rc|alpha|beta|post|dev)\d+)*", re.IGNORECASE)
_FORM = "A conda file is a mapping with a list `dependencies` of names like `numpy=2.4` and one `pip:` list"


def is_python_package(conda_name: str) -> bool:
    """Whether the conda package is a Python distribution, so that PyPI can have it."""
    return conda_name not in _NOT_PYTHON and _NOT_PYTHON_PATTERN.fullmatch(conda_name) is None


def pypi_name(conda_name: str) -> str:
    """What PyPI calls a conda package; may carry an extra, as `ray[tune]`."""
    return _PYPI_NAMES.get(conda_name, conda_name)


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """A conda package, by its conda name in lower case, and the versions that will do."""

    name: str
    specifiers: SpecifierSet

    def __str__(self) -> str:
        return f"{self.name}{self.specifiers}"


def parse_match_spec(text: str) -> MatchSpec:
    """Read one entry of a conda file's `dependencies`. Raises `InvalidDefinition`."""
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise InvalidDefinition(
            f"conda dependency {text!r} is not a package like `numpy=2.4` or `conda-forge::numpy>=2,<3`"
        )
    version = re.sub(r"\s*(==|!=|>=|<=|~=|[=<>,|])\s*", r"\1", match["version"])
    try:
        return MatchSpec(
            match["name"].lower(), SpecifierSet(_translate(version or _keyed_version(match["keys"] or "")))
        )
    except (InvalidSpecifier, ValueError) as error:
        raise InvalidDefinition(
            f"conda dependency {text!r} cannot be said in the version language of pip ({error}); "
            "write it with =, ==, !=, <, >, or name the package in the `pip:` section"
        ) from error


def _keyed_version(keys: str) -> str:
    """The version among the bracketed keys, which override nothing but may be all that there is."""
    return next((a or b or c for key, a, b, c in _KEY.findall(keys) if key == "version"), "")


def _translate(version: str) -> str:
    built = _BUILD.fullmatch(version)
    clauses = (built["version"] if built else version).split(",")
    return ",".join(filter(None, (_clause(part, exact=built is not None) for part in clauses if part)))


def _clause(text: str, *, exact: bool) -> str:
    """One part between commas, empty for any version; `exact` takes a lone `=` for `==`. Raises `ValueError`."""
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a version")
    operator, version = match["operator"], match["version"].rstrip("*").rstrip(".")
    starred = match["version"].endswith("*") or (operator == "=" and not exact)
    if not version:
        return ""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{match['version']!r} is not a version as PyPI writes them")
    operator = "==" if operator in {"", "="} else operator
    return f"{operator}{version}.*" if starred and operator in {"==", "!="} else f"{operator}{version}"


@dataclass(frozen=True, slots=True)
class CondaFile:
    """The dependencies of a conda environment file, as written; channels and name have no meaning for pip.

    `variables` are the names of environment variables that conda would set on activation.
    """

    packages: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def parse_conda(text: str) -> CondaFile:
    """Read a conda file from YAML, or from the JSON that Azure ML answers. Raises `InvalidDefinition`."""
    try:
        content = read_json(text) if text.lstrip().startswith("{") else read_yaml(text)
    except ValueError as error:
        raise InvalidDefinition(f"the conda file is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise InvalidDefinition(f"the conda file holds {_kind(content)}, not a mapping. {_FORM}")
    dependencies = _list(content.get("dependencies"), "dependencies")
    return CondaFile(
        packages=tuple(entry for entry in dependencies if isinstance(entry, str)),
        pip=tuple(_pip_lines(dependencies)),
        variables=tuple(_mapping(content.get("variables"), "variables")),
    )


def _pip_lines(dependencies: list[Any]) -> Iterator[str]:
    for number, entry in enumerate(dependencies):
        if isinstance(entry, str):
            continue
        if not isinstance(entry, dict) or set(entry) != {"pip"}:
            raise InvalidDefinition(f"conda file, dependencies[{number}] is {_kind(entry)} that is not `pip:`. {_FORM}")
        for position, line in enumerate(_list(entry["pip"], f"dependencies[{number}].pip")):
            if not isinstance(line, str):
                raise InvalidDefinition(
                    f"conda file, dependencies[{number}].pip[{position}] is {_kind(line)}, not a requirement. {_FORM}"
                )
            yield line


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidDefinition(f"conda file, {where} is {_kind(value)}, not a list. {_FORM}")
    return value


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidDefinition(f"conda file, {where} is {_kind(value)}, not a mapping. {_FORM}")
    return {str(key): item for key, item in value.items()}


def _kind(value: Any) -> str:
    return "empty" if value is None else f"the {type(value).__name__} {json.dumps(value, default=str)[:60]}"


def conda_requirements(conda: CondaFile, context: Path | None = None) -> PackageRequirements:
    """Translate the file for pip; `context` is the folder in which its pip lines may name files.

    Raises `InvalidDefinition`.
    """
    required = PackageRequirements(
        notes=tuple(f"{name}: environment variables of a conda file are not set" for name in conda.variables)
    )
    for text in conda.packages:
        required += package_requirements(parse_match_spec(text))
    return required + read_lines(conda.pip, RequirementSource("conda file, pip", context))


def package_requirements(spec: MatchSpec) -> PackageRequirements:
    """What one conda package asks of Python."""
    if spec.name == "python":
        return PackageRequirements(python=spec.specifiers)
    if spec.name == "pip":
        # It is how conda installs the pip section. Here uv installs, so a version of pip would force a build in vain.
        return PackageRequirements(notes=(f"{spec}: uv installs in its place",) if spec.specifiers else ())
    if not is_python_package(spec.name):
        return PackageRequirements(notes=(f"{spec}: not a Python package, skipped",))
    return PackageRequirements(requirements=(f"{pypi_name(spec.name)}{spec.specifiers}",))
