from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from mlgates.config.declaring import Strict, parsed, read_yaml
from mlgates.core.errors import ConfigurationError


class Wheel(Strict):
    inches: int = Field(default=28, ge=10, le=36)
    """The diameter."""


class Bicycle(Strict):
    name: str
    front: Wheel = Wheel()
    spare: tuple[Wheel, ...] = Field(default=(), strict=False)
    by_place: dict[str, Wheel] = Field(default_factory=dict)


class Shop(Strict):
    open: bool = True
    bicycle: Bicycle | None = None


def complaint(content: Any, declared: type[Strict] = Bicycle) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parsed("shop.yml", declared, content)
    return str(caught.value)


def test_what_is_declared_is_read_with_the_defaults_of_the_rest() -> None:
    read = parsed("shop.yml", Bicycle, {"name": "city", "spare": [{"inches": 20}, {}]})
    assert (read.name, read.front.inches, [each.inches for each in read.spare]) == ("city", 28, [20, 28])


def test_nothing_at_all_stands_for_all_defaults() -> None:
    assert parsed("shop.yml", Shop, None) == Shop()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"name": "city", "frnt": {}}, "shop.yml: unknown key 'frnt'. Did you mean 'front'?"),
        ({"name": "city", "front": {"inch": 1}}, "shop.yml.front: unknown key 'inch'. Did you mean 'inches'?"),
        ({"name": "city", "spare": [{}, {"inch": 1}]}, "shop.yml.spare.1: unknown key 'inch'. Did you mean 'inches'?"),
        ({"name": "city", "by_place": {"left": {"inch": 1}}}, "shop.yml.by_place.left: unknown key 'inch'. Did you"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_one_of_its_place(content: Any, message: str) -> None:
    assert complaint(content).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "shop.yml.name: field required"),
        ({"name": 3}, "shop.yml.name: input should be a valid string, not 3"),
        (
            {"name": "city", "front": {"inches": "26"}},
            "shop.yml.front.inches: input should be a valid integer, not '26'",
        ),
        (
            {"name": "c", "front": {"inches": 9}},
            "shop.yml.front.inches: input should be greater than or equal to 10, not 9",
        ),
        ([], "shop.yml: input should be a valid dictionary or instance of Bicycle, not []"),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_what_would_be_right(content: Any, message: str) -> None:
    assert complaint(content) == message


def test_of_several_mistakes_the_first_is_named() -> None:
    assert complaint({"name": 1, "front": {"inches": "x"}}).startswith("shop.yml.name: ")


def test_a_declaration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Wheel().inches = 20


def test_the_docstring_of_a_field_is_its_description() -> None:
    assert Wheel.model_fields["inches"].description == "The diameter."


def test_a_file_is_read_as_yaml(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text("name: größer\nspare: []\n", encoding="utf-8")
    assert read_yaml(file, "shop.yml", "why") == {"name": "größer", "spare": []}


def test_a_file_that_is_not_there_is_named_with_what_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^mlops/shop\.yml is not there: a shop declares its bicycles in it$"):
        read_yaml(tmp_path / "shop.yml", "mlops/shop.yml", "a shop declares its bicycles in it")


@pytest.mark.parametrize("content", [b"name: [", b"\xff\xfe\xfa"])
def test_a_file_that_is_no_yaml_is_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "shop.yml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^shop\.yml is not YAML: [^\n]+$"):
        read_yaml(file, "shop.yml", "why")
