"""What Dockerfiles install for Python."""

from pathlib import Path

import pytest

from amlocal.runtimes.definitions.dockerfile import BuildContext, dockerfile_requirements
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("idna==3.1\n")
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11, pip, {pip: [-r requirements.txt]}]\n")
    (tmp_path / "pkg").mkdir()
    return tmp_path


def _requirements(context: Path, text: str) -> PackageRequirements:
    (context / "Dockerfile").write_text(text)
    return dockerfile_requirements(BuildContext(context))


@pytest.mark.parametrize(
    "run",
    [
        "RUN pip install idna==3.1",
        "run pip3.11 install --no-cache-dir -qq 'idna==3.1'",
        "RUN python -m pip install --upgrade pip idna==3.1",
        "RUN apt-get update && /opt/env/bin/pip install idna==3.1 > log 2>&1",
        "RUN FLAG=1 sudo uv pip install --system idna==3.1 # why",
        "RUN conda run -n base --no-capture-output pip install idna==3.1",
        'RUN ["pip", "install", "idna==3.1"]',
        'RUN ["/bin/bash", "-c", "cd / ; pip install idna==3.1"]',
        "RUN --mount=type=cache,target=/var/cache/pip pip install idna==3.1",
        "RUN pip install \\\n  # the one\n  idna==3.1",
        "RUN <<EOF\nset -e\npip install idna==3.1\nEOF",
        "RUN <<EOF\npip install idna==3.1",
        "# comment\n\nRUN (cd / && pip install idna==3.1)",
        "ARG V=3.1\nRUN pip install idna==$V",
        "ENV V 3.1\nRUN pip install idna==${V}",
        "ENV V=3.1 W=x\nRUN pip install idna==${V}",
        "COPY requirements.txt .\nRUN pip install -r requirements.txt",
        "COPY requirements.txt /tmp/\nRUN pip install -r /tmp/requirements.txt",
        "COPY --chown=me requirements.txt /tmp/r.txt\nRUN pip install --requirement=/tmp/r.txt",
        "WORKDIR /app\nADD . .\nRUN pip install -r requirements.txt",
        'COPY ["requirements.txt", "/a/"]\nWORKDIR /a\nRUN pip install -r ./requirements.txt',
        "COPY requirements.txt conda.yml /a/\nRUN pip install -r /a/requirements.txt",
        "COPY req*.txt /a/\nRUN pip install -r /a/requirements.txt",
        "COPY . /a\nRUN conda env create -f /a/conda.yml",
        "COPY . /a\nRUN mamba env update --name base --file=/a/conda.yml",
        "RUN conda install -y -c conda-forge --name base idna==3.1",
    ],
)
def test_installations_of_python_packages_are_honoured(context: Path, run: str) -> None:
    assert _requirements(context, f"FROM image\n{run}\n").requirements == ("idna==3.1",)


def test_the_python_of_a_conda_environment_is_honoured(context: Path) -> None:
    assert (
        str(_requirements(context, "RUN conda create -p /envs/x python=3.8 pip=21.3.1 -c anaconda").python) == "==3.8.*"
    )


def test_a_default_conda_file_is_environment_yml(context: Path) -> None:
    (context / "environment.yml").write_text("dependencies: [idna]")
    assert _requirements(context, "COPY . .\nRUN conda env create").requirements == ("idna",)


def test_local_packages_are_found_where_they_were_copied(context: Path) -> None:
    required = _requirements(context, "COPY . /src\nWORKDIR /src\nRUN pip install ./pkg[x] && pip install -e pkg/")
    assert required.requirements == (f"{context / 'pkg'}[x]", str(context / "pkg"))


def test_constraints_bind_without_asking(context: Path) -> None:
    required = _requirements(context, "COPY . .\nRUN pip install attrs -c requirements.txt")
    assert (required.requirements, required.constraints) == (("attrs",), ("idna==3.1",))


def test_an_unquoted_bound_is_the_redirection_that_docker_takes_it_for(context: Path) -> None:
    assert _requirements(context, "RUN pip install idna>=3.1 attrs").requirements == ("idna", "attrs")


def test_a_url_is_installed_as_it_is(context: Path) -> None:
    assert _requirements(context, "RUN pip install git+https://example.org/x.git").requirements == (
        "git+https://example.org/x.git",
    )


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("RUN apt-get install -y curl", "apt-get install -y curl"),
        ("RUN pip install idna==$UNKNOWN", "UNKNOWN"),
        ("RUN pip install --target /x idna", "--target"),
        ("RUN pip install -r /opt/elsewhere.txt", "/opt/elsewhere.txt"),
        ("COPY . /a\nRUN pip install -r /a/../../etc/passwd", "/etc/passwd"),
        ("COPY --from=builder /requirements.txt /\nRUN pip install -r /requirements.txt", "/requirements.txt"),
        ("RUN conda install --file list.txt", "list files"),
        ("RUN echo 'half", "echo 'half"),
        ("RUN [broken", "[broken"),
        ("RUN FLAG=1", "FLAG=1"),
    ],
)
def test_every_other_command_is_said_not_to_be_executed(context: Path, run: str, said: str) -> None:
    required = _requirements(context, f"FROM image\n{run}\n")
    assert required.is_empty
    assert [said in note for note in required.notes if "not executed" in note] == [True]


def test_the_image_below_and_its_variables_are_said_to_be_missing(context: Path) -> None:
    notes = _requirements(context, "FROM --platform=linux/amd64 image:1 AS x\nENV A=1 B=2\nEXPOSE 80\nENV A=3\n").notes
    assert notes == (
        "Dockerfile: packages that only the image image:1 has are not available",
        "Dockerfile: ENV is not set in jobs: A, B",
    )


def test_only_the_last_stage_counts(context: Path) -> None:
    assert _requirements(
        context, "FROM one AS a\nRUN pip install idna\nFROM two\nRUN pip install attrs\n"
    ).requirements == ("attrs",)


def test_a_stage_builds_on_an_earlier_one(context: Path) -> None:
    required = _requirements(
        context, "FROM one AS a\nRUN pip install idna\nFROM two AS b\nFROM a\nRUN pip install attrs\n"
    )
    assert required.requirements == ("idna", "attrs")


@pytest.mark.parametrize("line", ["FROM", "COPY", 'ENV A="half', 'COPY ["a'])
def test_an_instruction_that_cannot_be_read_is_named(context: Path, line: str) -> None:
    with pytest.raises(InvalidDefinition, match=f"Dockerfile: {line.split(maxsplit=1)[0]} "):
        _requirements(context, line)


def test_a_missing_dockerfile_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDefinition, match=r"docker/Dockerfile\.gpu"):
        dockerfile_requirements(BuildContext(tmp_path, "docker/Dockerfile.gpu"))


@pytest.mark.parametrize("content", [b"\xff", b"x" * 2**21], ids=["no text", "too long"])
@pytest.mark.parametrize("name", ["Dockerfile", "conda.yml"])
def test_a_file_that_is_no_text_or_too_long_is_named(context: Path, name: str, content: bytes) -> None:
    (context / "Dockerfile").write_text("FROM x\nCOPY . .\nRUN conda env create -f conda.yml")
    (context / name).write_bytes(content)
    with pytest.raises(InvalidDefinition, match="of the build context cannot be read"):
        dockerfile_requirements(BuildContext(context))
