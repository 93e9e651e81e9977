"""Which conda packages are Python packages, and what PyPI calls those that it calls otherwise.

Only names that differ are listed (conda-forge and the defaults channel); any other name is the same on both sides.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

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


def is_python_package(conda_name: str) -> bool:
    """Whether the conda package is a Python distribution, so that PyPI can have it."""
    return conda_name not in _NOT_PYTHON and _NOT_PYTHON_PATTERN.fullmatch(conda_name) is None


def pypi_name(conda_name: str) -> str:
    """What PyPI calls a conda package; may carry an extra, as `ray[tune]`."""
    return _PYPI_NAMES.get(conda_name, conda_name)
