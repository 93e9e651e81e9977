import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amlocal.jobs.bindings import substitute
from amlocal.jobs.status import JobFailure

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}", fullmatch=True)
SPACE = st.sampled_from(["", " ", "\t", "  "])
TEXT = st.text(max_size=30).filter(lambda text: not {"${{", "$[["} & {text[at : at + 3] for at in range(len(text))})


@given(TEXT)
def test_a_command_without_placeholders_stays_as_it_is(text: str) -> None:
    assert substitute(text, {}, {}) == text


@given(TEXT, TEXT, NAMES, st.text(max_size=30), SPACE, st.sampled_from(["inputs", "outputs"]))
def test_only_the_placeholder_changes(before: str, after: str, name: str, value: str, space: str, group: str) -> None:
    assume(not before.endswith("$"))
    command = f"{before}${{{{{space}{group}.{name}{space}}}}}{after}"
    given_values: dict[str, dict[str, str]] = {"inputs": {}, "outputs": {}} | {group: {name: value}}
    assert substitute(command, given_values["inputs"], given_values["outputs"]) == f"{before}{value}{after}"


def test_values_are_not_looked_into() -> None:
    values = {"a": "${{inputs.b}} $[[x]] \\1", "b": "b"}
    assert substitute("${{inputs.a}}", values, {}) == values["a"]


@pytest.mark.parametrize("group", ["inputs", "outputs"])
def test_an_unknown_name_is_named_with_those_there_are(group: str) -> None:
    named = {"left": "", "right": ""}
    with pytest.raises(JobFailure, match=re.escape(f"${{{{{group}.centre}}}}") + ".*left, right"):
        substitute(f"run ${{{{{group}.centre}}}}", named, named)


def test_an_unknown_name_among_none_says_so() -> None:
    with pytest.raises(JobFailure, match="the job's inputs are: none"):
        substitute("${{inputs.x}}", {}, {"x": ""})


def test_an_optional_part_stays_when_all_its_inputs_are_given() -> None:
    assert substitute("run $[[--x ${{inputs.x}} --y ${{inputs.y}}]] end", {"x": "1", "y": "2"}, {}) == (
        "run --x 1 --y 2 end"
    )


def test_an_optional_part_goes_when_one_of_its_inputs_is_not_given() -> None:
    assert substitute("run $[[--x ${{inputs.x}} --y ${{inputs.y}}]] end", {"x": "1"}, {}) == "run  end"


def test_optional_parts_are_optional_each_for_itself() -> None:
    command = "run $[[--x ${{inputs.x}}]]\n$[[--y\n${{inputs.y}}]]"
    assert substitute(command, {"y": "2"}, {}) == "run \n--y\n2"


@given(st.from_regex(r"[A-Za-z0-9/_.-]+", fullmatch=True))
def test_a_plain_path_is_written_plainly(path: str) -> None:
    command = 'a ${{inputs.x}} "${{inputs.x}}"'
    assert substitute(command, {"x": path}, {}, literals=set()) == f'a {path} "{path}"'
