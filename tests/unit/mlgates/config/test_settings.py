from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.project import Project
from mlgates.config.settings import KEYS, Scope, Target, load_settings, read_variables
from mlgates.core.errors import ConfigurationError

SUBSCRIPTION = "12345678-1234-1234-1234-1234567890ab"
NAMES = {
    "TRAINING_ENVIRONMENT_NAME": "train-env",
    "TRAINING_DATASET_NAME": "patients",
    "TRAINING_EXPERIMENT_NAME": "experiment",
    "MODEL_NAME": "classifier",
    "MODEL_PATH": "model",
    "BATCH_ENDPOINT_NAME": "batch",
    "BATCH_DEPLOYMENT_NAME": "blue",
    "BATCH_SAMPLE_REQUEST": "data/batch.csv",
    "BATCH_REQUEST_TYPE": "uri_file",
    "ONLINE_ENDPOINT_NAME": "online",
    "ONLINE_DEPLOYMENT_NAME": "blue",
    "ONLINE_SAMPLE_REQUEST": "data/online.json",
    "ONLINE_LATENCY_LIMIT_MS": "1000",
}
INFRA = {"AZURE_SUBSCRIPTION_ID": "", "RESOURCE_GROUP_NAME": "rg-dev", "AML_WORKSPACE_NAME": "mlw-dev"}
NO_NAMES = {"AZURE_SUBSCRIPTION_ID", "BATCH_REQUEST_TYPE", "ONLINE_LATENCY_LIMIT_MS"}
"""The keys whose values are no free text."""
ProjectOf = Callable[..., Project]


@pytest.fixture(scope="session")
def project_of(tmp_path_factory: pytest.TempPathFactory) -> ProjectOf:
    def make(
        names: Mapping[str, object] = NAMES, infra: Mapping[str, object] = INFRA, environment: str = "dev"
    ) -> Project:
        root = tmp_path_factory.mktemp("project")
        (root / "mlops").mkdir()
        for file, variables in (("config-mlops", names), (f"config-infra-{environment}", infra)):
            (root / "mlops" / f"{file}.yml").write_text(yaml.safe_dump({"variables": dict(variables)}))
        return Project(root)

    return make


def without(names: Mapping[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in names.items() if name != key}


def test_every_key_is_in_the_test_project() -> None:
    assert set(NAMES) | set(INFRA) == set(KEYS)


def test_values_come_from_the_files_and_remember_which(project_of: ProjectOf) -> None:
    settings = load_settings(project_of(), "dev", environ={})
    assert settings.model_name == "classifier"
    assert settings.sources["MODEL_NAME"] == "mlops/config-mlops.yml"
    assert settings.sources["AML_WORKSPACE_NAME"] == "mlops/config-infra-dev.yml"


@pytest.mark.parametrize("key", sorted(set(KEYS) - NO_NAMES))
def test_an_environment_variable_wins_over_the_file(project_of: ProjectOf, key: str) -> None:
    settings = load_settings(project_of(), "dev", environ={key: "from-outside"})
    assert getattr(settings, key.lower()) == "from-outside"
    assert settings.sources[key] == "environment variable"


def test_an_environment_variable_stands_in_for_a_missing_key(project_of: ProjectOf) -> None:
    project = project_of(names=without(NAMES, "MODEL_NAME"))
    assert load_settings(project, "dev", environ={"MODEL_NAME": "m"}).model_name == "m"


@given(missing=st.sets(st.sampled_from(sorted(NAMES)), min_size=1))
def test_all_missing_keys_are_reported_at_once(project_of: ProjectOf, missing: set[str]) -> None:
    names = {name: value for name, value in NAMES.items() if name not in missing}
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(project_of(names=names), "dev", environ={})
    lines = str(refusal.value).splitlines()
    assert len(lines) == len(missing)
    assert all(any(f"{name} is missing" in line for line in lines) for name in missing)


@pytest.mark.parametrize("name", ["COST_CENTER", "PYTHON_VERSION", "MODEL_OWNER"])
def test_a_variable_of_ones_own_is_let_be(project_of: ProjectOf, name: str) -> None:
    assert name not in load_settings(project_of(names={**NAMES, name: "x"}), "dev", environ={}).shown()


def test_a_mistyped_key_gets_the_nearest_valid_one(project_of: ProjectOf) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown key 'MODEL_NAM'. Did you mean 'MODEL_NAME'\?"):
        load_settings(project_of(names={**NAMES, "MODEL_NAM": "m"}), "dev", environ={})


@pytest.mark.parametrize(
    ("names", "infra", "home"),
    [
        ({**NAMES, "AML_WORKSPACE_NAME": "w"}, INFRA, "mlops/config-infra-<environment>.yml"),
        (NAMES, {**INFRA, "MODEL_NAME": "m"}, "mlops/config-mlops.yml"),
    ],
)
def test_a_key_in_the_wrong_file_is_sent_home(
    project_of: ProjectOf, names: Mapping[str, str], infra: Mapping[str, str], home: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"belongs in {home}"):
        load_settings(project_of(names=names, infra=infra), "dev", environ={})


@pytest.mark.parametrize(("value", "kind"), [(7, r"int \(7\)"), (True, r"bool \(True\)"), (None, r"empty \(null\)")])
def test_a_value_that_is_no_text_is_refused_with_its_kind(project_of: ProjectOf, value: object, kind: str) -> None:
    with pytest.raises(ConfigurationError, match=f"MODEL_NAME must be text, not {kind}: put the value in quotes"):
        load_settings(project_of(names={**NAMES, "MODEL_NAME": value}), "dev", environ={})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MODEL_NAME", "with space"),
        ("MODEL_NAME", ""),
        ("MODEL_NAME", "x" * 256),
        ("MODEL_PATH", "/model"),
        ("MODEL_PATH", "../model"),
        ("MODEL_PATH", "a\\b"),
        ("MODEL_PATH", " "),
        ("ONLINE_ENDPOINT_NAME", "Online"),
        ("ONLINE_ENDPOINT_NAME", "x" * 27),
        ("BATCH_REQUEST_TYPE", "csv"),
        ("ONLINE_LATENCY_LIMIT_MS", "0"),
        ("ONLINE_LATENCY_LIMIT_MS", "0.5"),
    ],
)
def test_a_value_that_azure_ml_would_refuse_is_refused_here(project_of: ProjectOf, key: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"mlops/config-mlops.yml: {key} must be"):
        load_settings(project_of(names={**NAMES, key: value}), "dev", environ={})


def test_a_wrong_secret_is_not_repeated(project_of: ProjectOf) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(project_of(infra={**INFRA, "AZURE_SUBSCRIPTION_ID": "silence_sdk_logging"}), "dev", environ={})
    assert "silence_sdk_logging" not in str(refusal.value)


def test_an_unknown_environment_gets_the_nearest_one(project_of: ProjectOf) -> None:
    with pytest.raises(ConfigurationError, match=r"config-infra-dve.yml is not there.*Did you mean 'dev'\?"):
        load_settings(project_of(), "dve", environ={})


@pytest.mark.parametrize(
    ("environment", "subscription", "target"),
    [
        ("local", SUBSCRIPTION, Target.LOCAL),
        ("local", "", Target.LOCAL),
        ("dev", "", Target.STAND_IN),
        ("dev", SUBSCRIPTION, Target.AZURE),
        ("prod", SUBSCRIPTION, Target.AZURE),
    ],
)
def test_an_environment_is_azure_once_its_subscription_is_filled_in(
    project_of: ProjectOf, environment: str, subscription: str, target: Target
) -> None:
    project = project_of(infra={**INFRA, "AZURE_SUBSCRIPTION_ID": subscription}, environment=environment)
    assert load_settings(project, environment, environ={}).target is target


def test_a_stand_in_is_refused_where_azure_is_required(project_of: ProjectOf) -> None:
    with pytest.raises(ConfigurationError, match="only a local stand-in"):
        load_settings(project_of(), "dev", environ={}, require_azure=True)


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_ci_can_require_azure_by_variable(project_of: ProjectOf, value: str) -> None:
    with pytest.raises(ConfigurationError, match="only a local stand-in"):
        load_settings(project_of(), "dev", environ={"MLGATES_REQUIRE_AZURE": value})


@pytest.mark.parametrize("value", ["", "0", "False", "no"])
def test_a_variable_that_says_no_requires_nothing(project_of: ProjectOf, value: str) -> None:
    assert load_settings(project_of(), "dev", environ={"MLGATES_REQUIRE_AZURE": value}).target is Target.STAND_IN


def test_local_stays_local_where_azure_is_required(project_of: ProjectOf) -> None:
    settings = load_settings(project_of(environment="local"), "local", environ={}, require_azure=True)
    assert settings.target is Target.LOCAL


def test_endpoints_carry_the_name_of_their_environment(project_of: ProjectOf) -> None:
    settings = load_settings(project_of(), "dev", environ={})
    assert (settings.batch_endpoint, settings.online_endpoint) == ("batch-dev", "online-dev")


def test_settings_are_shown_with_their_sources_and_secrets_starred(project_of: ProjectOf) -> None:
    project = project_of(infra={**INFRA, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION})
    shown = load_settings(project, "dev", environ={"MODEL_NAME": "m"}).shown()
    assert shown["MODEL_NAME"] == ("m", "environment variable")
    assert shown["AZURE_SUBSCRIPTION_ID"] == ("********90ab", "mlops/config-infra-dev.yml")


def test_an_empty_secret_is_shown_empty(project_of: ProjectOf) -> None:
    value, _ = load_settings(project_of(), "dev", environ={}).shown()["AZURE_SUBSCRIPTION_ID"]
    assert value == ""


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_the_settings_of_this_project_are_valid(environment: str, pytestconfig: pytest.Config) -> None:
    assert load_settings(Project(pytestconfig.rootpath), environment, environ={}).environment == environment


def test_each_scope_has_keys() -> None:
    assert {key.scope for key in KEYS.values()} == set(Scope)


def written(folder: Path, text: str) -> Path:
    file = folder / "config.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_mapping_form_is_read(tmp_path: Path) -> None:
    assert read_variables(written(tmp_path, "variables:\n  A: one\n  B: 2\n"), "f") == {"A": "one", "B": 2}


def test_the_list_form_is_read(tmp_path: Path) -> None:
    text = "variables:\n- name: A\n  value: one\n- name: B\n  value: 2\n"
    assert read_variables(written(tmp_path, text), "f") == {"A": "one", "B": 2}


def test_groups_and_templates_of_a_pipeline_are_passed_over(tmp_path: Path) -> None:
    text = "variables:\n- group: secrets\n- template: more.yml\n- name: A\n  value: one\n"
    assert read_variables(written(tmp_path, text), "f") == {"A": "one"}


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^mlops/f\.yml is not there: .*README"):
        read_variables(tmp_path / "none.yml", "mlops/f.yml")


def test_a_folder_in_place_of_a_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f cannot be read"):
        read_variables(tmp_path, "f")


def test_bytes_that_are_no_text_are_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigurationError, match=r"^f cannot be read"):
        read_variables(file, "f")


def test_bad_yaml_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f is not valid YAML: line 2, column 1: "):
        read_variables(written(tmp_path, "variables: {A: 1\n"), "f")


def test_yaml_with_a_forbidden_character_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f is not valid YAML: [^\n]+$"):
        read_variables(written(tmp_path, "variables: \0"), "f")


@pytest.mark.parametrize("text", ["", "A: 1\n", "- A\n", "variables: text\n", "variables:\n"])
def test_another_shape_is_refused_with_the_right_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="must hold a mapping"):
        read_variables(written(tmp_path, text), "f")


def test_a_list_item_without_a_value_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"f, variables\[1\]: a list item needs"):
        read_variables(written(tmp_path, "variables:\n- name: A\n  value: 1\n- name: B\n"), "f")


@given(text=st.text())
def test_any_text_is_read_or_refused_in_our_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = written(tmp_path_factory.mktemp("any"), text)
    try:
        refusal = ""
        read_variables(file, "f")
    except ConfigurationError as error:
        refusal = str(error)
    assert "\n" not in refusal
