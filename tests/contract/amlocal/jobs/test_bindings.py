import os
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.jobs.bindings import substitute

PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


def words(command: str) -> list[str]:
    """Return the arguments that bash makes of `printf '%s\\0' ...`."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


@settings(max_examples=30)
@given(PATHS, st.sampled_from(["inputs", "outputs"]))
def test_a_path_arrives_as_it_is_in_any_quotes(path: str, group: str) -> None:
    path = f"/{path}"
    here = f"${{{{{group}.x}}}}"
    command = f"""printf '%s\\0' {here} --a={here}/b "{here}" '{here}' "it's {here}" $'it\\'s {here}' \\"{here} """
    command += f"""'"'{here} "\\"{here}" "$(printf %s "{here}/c")" "`printf %s {here}`" $(printf e) "a"{here}"b" """
    found: dict[str, dict[str, str]] = {"inputs": {}, "outputs": {}} | {group: {"x": path}}
    inner = path.rstrip("\n")  # a command's output loses its last line ends, whatever they come from
    assert words(substitute(command, found["inputs"], found["outputs"], literals=set())) == [
        path, f"--a={path}/b", path, path, f"it's {path}", f"it's {path}", f'"{path}', f'"{path}', f'"{path}',
        f"{path}/c", inner, "e", f"a{path}b",
    ]  # fmt: skip


def test_a_literal_is_taken_apart_as_on_azure() -> None:
    command = "printf '%s\\0' ${{inputs.flags}} ${{inputs.data}}"
    values = {"flags": "-a -b", "data": "/a b"}
    assert words(substitute(command, values, {}, literals={"flags"})) == ["-a", "-b", "/a b"]
