import json
import threading
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amlocal.assets import environments
from tests.unit.amlocal.asgi import FEW, Workspace
from tests.unit.amlocal.assets.kinds import ENVIRONMENTS

LINES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
CONDA = st.fixed_dictionaries(
    {"dependencies": st.lists(LINES | st.fixed_dictionaries({"pip": st.lists(LINES)}))},
    optional={"name": LINES, "channels": st.lists(LINES)},
)
CONTEXT = {"contextUri": "https://127.0.0.1:8443/azureml/LocalUpload/0f/ctx/"}


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def put(workspace: Workspace, name: str = "n", **properties: Any) -> Any:
    return workspace.put(f"environments/{name}/versions/1", properties)


@FEW
@given(content=CONDA)
def test_the_conda_file_comes_back_as_json_of_the_same_meaning(
    shared_workspace: Workspace, content: dict[str, Any]
) -> None:
    sent = yaml.safe_dump(content, allow_unicode=True)
    kept = put(shared_workspace, shared_workspace.fresh(), image="img", condaFile=sent).json["properties"]["condaFile"]
    assert json.loads(kept) == yaml.safe_load(kept) == content  # the SDK reads it as YAML


@FEW
@given(content=CONDA)
def test_the_order_of_keys_and_the_notation_make_no_other_definition(
    shared_workspace: Workspace, content: dict[str, Any]
) -> None:
    name = shared_workspace.fresh()
    put(shared_workspace, name, image="img", condaFile=yaml.safe_dump(content, sort_keys=True))
    turned = dict(reversed(content.items()))
    for text in (yaml.safe_dump(turned, sort_keys=False), json.dumps(turned, indent=2)):
        assert put(shared_workspace, name, image="img", condaFile=text).status == 201


def test_the_order_of_dependencies_is_a_part_of_the_definition(workspace: Workspace) -> None:
    put(workspace, image="img", condaFile="dependencies: [a, b]")
    assert put(workspace, image="img", condaFile="dependencies: [b, a]").status == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "other"},
        {"osType": "Windows"},
        {"condaFile": None},
        {"inferenceConfig": {"livenessRoute": {"port": 1}}},
    ],
)
def test_every_part_of_the_definition_is_fixed(workspace: Workspace, changes: dict[str, Any]) -> None:
    ENVIRONMENTS.put(workspace)
    assert ENVIRONMENTS.put(workspace, **changes).status == 409


def test_another_build_context_is_another_definition(workspace: Workspace) -> None:
    put(workspace, build=CONTEXT)
    assert put(workspace, build=CONTEXT | {"dockerfilePath": "other"}).status == 409


def test_a_build_context_has_a_dockerfile_and_no_image(workspace: Workspace) -> None:
    properties = put(workspace, build=CONTEXT).json["properties"]
    assert properties["build"] == CONTEXT | {"dockerfilePath": "Dockerfile"}
    assert "image" not in properties
    assert properties["condaFile"] == ""


def test_the_settings_for_inference_are_kept(workspace: Workspace) -> None:
    inference = {"livenessRoute": {"port": 5001, "path": "/"}}
    assert put(workspace, image="img", inferenceConfig=inference).json["properties"]["inferenceConfig"] == inference


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"image": ""},
        {"image": 7},
        {"image": "img", "build": CONTEXT},
        {"build": {"dockerfilePath": "Dockerfile"}},
        {"build": "https://elsewhere"},
    ],
)
def test_it_is_an_image_or_a_build_context(workspace: Workspace, properties: dict[str, Any]) -> None:
    answer = put(workspace, **properties)
    assert answer.status == 400
    assert ENVIRONMENTS.container(workspace).status == 404


@pytest.mark.parametrize(
    "conda",
    [
        "a: b: c", "- list", "text", "dependencies: [", "\x00", "day: 2024-13-45", "? 2024-01-02\n: x",
        "&a {self: *a}", "[" * 5000, 7, {"dependencies": []}, LAUGHS, "- a\n" * 80_000, "a: .inf", "{}#" + "x" * 2**20,
        '{"a": 1.0e+999}', "a: .nan", "[" + "[1]," * 9000 + "]", "!!float ''",
    ],
    ids=range(19),
)  # fmt: skip
def test_a_conda_file_that_cannot_be_read_is_refused(workspace: Workspace, conda: object) -> None:
    answer = put(workspace, image="img", condaFile=conda)
    assert answer.status == 400
    assert "conda" in answer.error["message"]
    assert "\n" not in answer.error["message"]


def test_a_date_in_a_conda_file_is_kept_as_text(workspace: Workspace) -> None:
    kept = put(workspace, image="img", condaFile="dependencies: []\nmade: 2024-01-02").json["properties"]["condaFile"]
    assert json.loads(kept)["made"] == "2024-01-02"


def test_a_container_describes_itself_with_the_empty_text(workspace: Workspace) -> None:
    ENVIRONMENTS.put(workspace)
    assert ENVIRONMENTS.container(workspace).json["properties"]["description"] == ""


def test_a_conda_file_is_read_beside_the_event_loop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[threading.Thread] = []

    def read(text: str) -> object:
        readers.append(threading.current_thread())
        return yaml.safe_load(text)

    monkeypatch.setattr(environments, "read_yaml", read)
    assert put(workspace, image="img", condaFile="dependencies: [a]").status == 201
    assert readers
    assert threading.current_thread() not in readers
