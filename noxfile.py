"""Every check and every pipeline step of the project is a session here; CI calls nothing else.

Sessions share one environment, .venv, since a copy of MLflow and its kin is over a gigabyte. No release of nox lets
sessions share one, so they run without an environment of nox's own (`python=False`) and `shared` puts them into it.
Only `unit-on`, which runs on other Pythons, and `infra`, whose checkov pins what the project pins otherwise, have nox
make environments. uv builds them all when it is there, else venv.
"""

import atexit
import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "unit", "data", "contract", "integration", "smoke", "faults", "story"]

WORKSPACES = Path(".nox", "amlocal").absolute()
SHARED = Path(".venv").absolute()
LOCK = Path("requirements.lock")
PYTHONS = ["3.11", "3.12", "3.13"]
WORKERS = ["-n", os.environ.get("PYTEST_WORKERS", "2"), "--dist", "loadfile"]
CONTRACT = ["tests/contract", *WORKERS]
MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30  # noqa: S108 - the folder that Linux keeps in memory; bytes free there


def find_uv() -> str | None:
    """Return uv's path: on PATH, or installed beside nox in an environment that is not activated."""
    if importlib.util.find_spec("uv"):
        from uv import find_uv_bin  # noqa: PLC0415 - it may not be there

        return str(find_uv_bin())
    return shutil.which("uv")


def fingerprint() -> str:
    """Return what an environment is made from, as a hash."""
    return hashlib.sha256(LOCK.read_bytes() + Path("pyproject.toml").read_bytes()).hexdigest()


def shared(session: nox.Session) -> None:
    """Put the session into the shared environment, which is brought to the lock first, hashes checked."""
    python, stamp = SHARED / "bin" / "python", SHARED / "installed-lock.txt"
    if not (stamp.exists() and stamp.read_text() == fingerprint()):
        uv = find_uv()
        session.log(f"Bringing {SHARED.name} to {LOCK}: about a gigabyte the first time, nothing afterwards.")
        if uv:
            make = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(SHARED)]
            install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        else:
            make = [sys.executable, "-m", "venv", str(SHARED)]
            install = [str(python), "-m", "pip", "install", "--quiet"]
        session.run(*make, external=True)
        session.run(*install, "--require-hashes", "-r", str(LOCK), external=True)
        session.run(*install, "--no-deps", "--editable", ".", external=True)
        stamp.write_text(fingerprint())
    session.env["VIRTUAL_ENV"] = str(SHARED)
    session.env["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"


def run(session: nox.Session, *command: str) -> None:
    """Run a program of the shared environment."""
    program = SHARED / "bin" / command[0]
    session.run(str(program), *command[1:], external=True)


@contextlib.contextmanager
def beside(session: nox.Session, *command: str) -> Iterator[None]:
    """Run a program of the shared environment beside what is done within, and show its output and failure after it."""
    environ = {name: value for name, value in (os.environ | session.env).items() if value is not None}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        program = [str(SHARED / "bin" / command[0]), *command[1:]]
        process = subprocess.Popen(program, env=environ, stdout=output, stderr=output)  # noqa: S603 - our own program
        try:
            yield
        except BaseException:
            process.terminate()
            raise
        finally:
            failed = process.wait()
            output.seek(0)
            session.log(f"{' '.join(command)}\n{output.read()}")
    if failed:
        session.error("The checks beside the pipeline have failed.")


def in_any_folder(session: nox.Session) -> None:
    """Tell pytest's workers of paths in UTF-8: at a terminal that lacks one of their letters they would not start."""
    session.env["PYTHONIOENCODING"] = "utf-8"


def in_memory(session: nox.Session) -> None:
    """Have temporary files in memory where there is room, and Python keep what it compiles.

    To wait for a disk is half of the unit session: nearly every test of amlocal makes a database of its own.
    """
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        folder = tempfile.mkdtemp(prefix="mlgates-", dir=MEMORY)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        session.env["TMPDIR"] = folder


OWN_OPTIONS = ("--env", "--local-root", "--model-version")
"""Of mlgates' pytest plugin, where they carry its name: another plugin may have an `--env` of its own."""


def of_plugin(words: Iterable[str]) -> list[str]:
    """Return what stands after `--` as pytest takes it: `--env dev` as `--mlgates-env dev`."""
    return [f"--mlgates-{word[2:]}" if word.partition("=")[0] in OWN_OPTIONS else word for word in words]


def run_pytest(session: nox.Session, suite: str, *arguments: str) -> None:
    """Run a suite in the shared environment, what the caller put after `--` at the end; leave what gates read."""
    shared(session)
    in_any_folder(session)
    reports = ["--mlgates-suite-reports=reports/suites", f"--junit-xml=reports/junit/{Path(suite).name}.xml"]
    run(session, "python", "-m", "pytest", suite, *arguments, *reports, *of_plugin(session.posargs))


def put_data(session: nox.Session) -> None:
    """Put the training set in place: the file that DIABETES_REFERENCE_DATA names, else fetched, else the stand-in."""
    named = os.environ.get("DIABETES_REFERENCE_DATA")
    run(session, "python", "-m", "diabetes_dataset", *(["--file", named] if named else []))


CI_FILES = [
    # Azure's schema has patterns that are no ECMAScript regular expressions.
    ("azure-pipelines", ".ado/*.yml", "--regex-variant", "python"),
    ("github-workflows", ".github/workflows/*.yml"),
    ("github-actions", ".github/actions/*/action.yml"),
]


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Format, lint, types, import contracts, declared dependencies, the schemas of both CI systems; then `infra`."""
    shared(session)
    run(session, "ruff", "format", "--check", ".")
    run(session, "ruff", "check", ".")
    run(session, "mypy")
    run(session, "lint-imports", "--no-cache")
    run(session, "deptry", "src")
    for schema, files, *options in CI_FILES:
        run(session, "check-jsonschema", "--builtin-schema", schema, *options, *map(str, sorted(Path().glob(files))))
    session.notify("infra", posargs=[])


@nox.session
def infra(session: nox.Session) -> None:
    """The Azure resources as Bicep: syntax, and checkov's policies; in an environment of its own."""
    session.install("checkov==3.3.30", "pytest>=9")
    # The conftest.py of the other tests wants the project installed; the warnings are checkov's own.
    options = ["-q", "--noconftest", "-W", "ignore::DeprecationWarning"]
    session.run("python", "-m", "pytest", *options, "tests/infra", *session.posargs)


# Each worker has its own part (tests/unit/conftest.py), so that no two of them import the same heavy libraries.
UNIT = ["tests/unit", *WORKERS[:2], "--dist", "each"]


@nox.session(python=False)
def unit(session: nox.Session) -> None:
    """Unit tests: no network, no process, seconds; random order, parallel. Their coverage is measured by `coverage`."""
    in_memory(session)
    run_pytest(session, *UNIT)


@nox.session(python=False)
def coverage(session: nox.Session) -> None:
    """The sessions `unit` and `contract`, as the qa pipeline has them: together they cover 95 % of lines and branches.

    It is a session of its own since to trace takes half as long again as the tests do.
    """
    in_memory(session)
    run_pytest(session, *UNIT, "--cov", "--cov-report=")
    shown = ["term-missing:skip-covered", "json:reports/coverage.json", "xml:reports/coverage.xml"]
    reports = [f"--cov-report={report}" for report in shown]
    session.env.pop("TMPDIR", None)  # models and environments are too much for memory
    run_pytest(session, *CONTRACT, "--cov", "--cov-append", "--cov-fail-under=95", *reports)


@nox.session(name="unit-on", python=PYTHONS)
def unit_on(session: nox.Session) -> None:
    """Unit tests on each Python that the project supports."""
    session.install("--require-hashes", "-r", str(LOCK))
    session.install("--no-deps", "--editable", ".")
    session.run("python", "-m", "pytest", *UNIT, *session.posargs)


@nox.session(python=False)
def data(session: nox.Session) -> None:
    """Great Expectations suites over the training set and the samples."""
    run_pytest(session, "tests/data", *WORKERS)


@nox.session(python=False)
def contract(session: nox.Session) -> None:
    """What is declared and what is on the wire: the YAML assets, amlocal against the SDK and Azure's shapes."""
    run_pytest(session, *CONTRACT)


@functools.cache
def fresh_workspace() -> str:
    """Return the folder of a local workspace that is new in this run of nox, shared by its sessions, down at its end.

    The first suite trains and deploys there, which takes longer than the suites themselves; the others find it done.
    """
    stop = [str(SHARED / "bin" / "amlocal"), "down", "--all", "--root", str(WORKSPACES)]
    subprocess.run(stop, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own program
    shutil.rmtree(WORKSPACES, ignore_errors=True)
    atexit.register(subprocess.run, stop, stdout=subprocess.DEVNULL, check=True)
    return str(WORKSPACES)


def run_deployed(session: nox.Session, suite: str) -> None:
    """Run a suite that needs endpoints: those of the environment that `-- --env NAME` names, else fresh ones."""
    shared(session)
    chosen = {argument.partition("=")[0] for argument in session.posargs}
    if "--env" not in chosen:
        put_data(session)
    own = [] if chosen & {"--env", "--local-root"} else ["--mlgates-local-root", fresh_workspace()]
    run_pytest(session, suite, *own)


@nox.session(python=False)
def integration(session: nox.Session) -> None:
    """What a trained and deployed workspace must show; `-- --env dev` looks at dev, else at a fresh local one."""
    run_deployed(session, "tests/integration")


@nox.session(python=False)
def smoke(session: nox.Session) -> None:
    """The live endpoints, quickly and changing nothing: `-- --env prod`, else those of a fresh local workspace."""
    run_deployed(session, "tests/smoke")


@nox.session(python=False)
def faults(session: nox.Session) -> None:
    """Faults planted in a fresh local workspace: the integration and smoke suites must notice each."""
    run_deployed(session, "tests/faults")


@nox.session(python=False)
def mlgates(session: nox.Session) -> None:
    """A command of mlgates, what comes after `--`; what trains finds the training set in place."""
    shared(session)
    if session.posargs[:1] in (["train"], ["pipeline"]):
        put_data(session)
    run(session, "mlgates", *session.posargs)


@nox.session(python=False)
def promote(session: nox.Session) -> None:
    """The main job: the dev pipeline to its gate beside the checks, the prod pipeline to released traffic, the report.

    What follows `--` goes to both pipelines: `-- --estimator random-forest`. The approval that a person gives elsewhere
    is given here by name of this session.
    """
    shared(session)
    put_data(session)
    in_any_folder(session)
    with beside(
        session, "python", "-m", "pytest", "-q", "tests/unit/diabetes", "tests/unit/diabetes_dataset", "tests/data"
    ):
        run(session, "mlgates", "pipeline", "dev", *session.posargs)
    approval = ["--approved-by", "nox -s promote", "--reason", "the main job of the README"]
    run(session, "mlgates", "pipeline", "prod", *approval, *session.posargs)
    run(session, "mlgates", "report", "--pipeline", "prod")


@nox.session(python=False)
def wheels(session: nox.Session) -> None:
    """Both wheels, built once into wheels/ and checked there; RELEASE_TAG names the tag that they are released by."""
    shared(session)
    folder = Path("wheels").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("mlgates", "amlocal"):
        run(session, "uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(Path("packaging", name)))
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's, and no wheel
    session.env["WHEELS"] = str(folder)
    run(session, "python", "-m", "pytest", "-q", "tests/contract/packaging", *session.posargs)


@nox.session(python=False)
def projects(session: nox.Session) -> None:
    """Tables go through `mlgates init` to a released model, unedited; minutes each, `-- -k wine` for one.

    The made projects run in the environment of this one, which has all that they need.
    """
    shared(session)
    in_memory(session)
    run_pytest(session, "tests/projects", "-v")


@nox.session(python=False)
def story(session: nox.Session) -> None:
    """The story that the example tells, on a fresh local workspace: released, rejected, replaced, rolled back."""
    shared(session)
    put_data(session)
    run_pytest(session, "tests/story")


@nox.session(python=False)
def bench(session: nox.Session) -> None:
    """Benchmarks: a table on the terminal, JSON in reports/."""
    shared(session)
    run(session, "python", "-m", "tests.bench", *session.posargs)


@nox.session(python=False)
def fuzz(session: nox.Session) -> None:
    """A million requests that are nearly right to a new local workspace; `-- 20000 --seed 7` for fewer, and others.

    Nothing may be answered with 5xx, nothing may hang, and the server may have twice its idle memory at most.
    """
    shared(session)
    run(session, "python", "-m", "tests.fuzz", *session.posargs)


@nox.session(name="azure-sdk", python=False)
def azure_sdk(session: nox.Session) -> None:
    """Microsoft's own end-to-end tests of azure-ai-ml and its hello-world examples, unchanged, against amlocal.

    They come from GitHub, or from folders: `-- --tests azure-sdk-for-python/sdk/ml/azure-ai-ml/tests --examples DIR`.
    """
    shared(session)
    run(session, "python", "-m", "tests.azure_sdk", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Faults planted in a sample of mlgates, one at a time: how many do the unit tests notice? `-- gates --mutants 40`.

    It takes minutes: each fault is a run of pytest. cosmic-ray has an environment of its own, the tests that of all.
    """
    session.install("cosmic-ray==8.7.0")
    tool = Path(session.bin, "cosmic-ray").absolute()
    shared(session)
    in_memory(session)
    run(session, "python", "-m", "tests.mutation", "--cosmic-ray", str(tool), *session.posargs)


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """The documentation as HTML, every link checked."""
    shared(session)
    run(session, "sphinx-build", "-W", "-q", "docs", "docs/_build")


@nox.session(python=False)
def lock(session: nox.Session) -> None:
    """Resolve the lock again: pins with hashes, no index named."""
    groups = [part for group in ("test", "lint", "docs", "bench") for part in ("--group", group)]
    options = ["--universal", "--generate-hashes", "--no-header", "-o", str(LOCK)]
    uv = find_uv() or session.error("This session needs uv: python -m pip install uv")
    session.run(uv, "pip", "compile", "-q", "pyproject.toml", *groups, *options, *session.posargs, external=True)
