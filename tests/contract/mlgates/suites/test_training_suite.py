"""The unit suite for training code passes a project that is right, and finds what is planted in it."""

import pytest

from tests.contract.mlgates.suites.planted import failed, loaded, project, run
from tests.contract.mlgates.suites.shop_project import TRAINING, spoilt, write_project

pytest_plugins = ("pytester",)
__all__ = ["loaded", "project"]
UNIT = "tests/unit/test_training.py"


def test_a_project_that_is_right_passes(project: pytest.Pytester) -> None:
    write_project(project.path)
    outcomes = run(project, UNIT).parseoutcomes()
    assert outcomes.get("failed", 0) == 0
    assert outcomes["passed"] >= 20


def test_a_property_is_switched_off_by_name_and_the_report_says_why(project: pytest.Pytester) -> None:
    write_project(project.path, skip="{the_index_changes_no_model: the index is the day}")
    run(project, UNIT).stdout.fnmatch_lines(["SKIPPED*skipped by mlops/training.yml: the index is the day"])


def test_a_property_that_is_not_there_cannot_be_switched_off(project: pytest.Pytester) -> None:
    write_project(project.path, skip="{the_index_changes_no_modl: why}")
    result = run(project, UNIT)
    result.stdout.fnmatch_lines(
        ["*there is no property 'the_index_changes_no_modl'. Did you mean 'the_index_changes_*"]
    )


GROUPED = (
    "    known, unseen = train_test_split(orders, test_size=0.25, random_state=split_seed, stratify=orders[LABEL])\n",
    "    customers = pd.Series(orders[GROUP].unique()).sample(frac=0.25, random_state=split_seed)\n"
    "    held = orders[GROUP].isin(customers)\n    known, unseen = orders[~held], orders[held]\n",
)


@pytest.mark.parametrize("name", ["group", "time"])
def test_a_random_split_of_a_declared_group_or_time_is_found(project: pytest.Pytester, name: str) -> None:
    write_project(project.path, **{name: "order_id"})
    found = {"group": "no_group_is_on_both_sides", "time": "held_out_rows_come_later"}[name]
    assert failed(run(project, UNIT, found)) == {found}


def test_a_split_by_group_passes(project: pytest.Pytester) -> None:
    write_project(project.path, spoilt(TRAINING, GROUPED).replace("GROUP]", "'order_id']"), group="order_id")
    assert failed(run(project, UNIT)) == set()


def test_a_split_by_time_passes(project: pytest.Pytester) -> None:
    by_time = (
        GROUPED[0],
        "    orders = orders.sort_values('order_id', kind='stable')\n    cut = len(orders) * 3 // 4\n"
        "    known, unseen = orders.iloc[:cut], orders.iloc[cut:]\n",
    )
    write_project(project.path, spoilt(TRAINING, by_time), time="order_id")
    assert failed(run(project, UNIT)) == set()


SPLIT = "random_state=split_seed, stratify=orders[LABEL])\n"
FIT = "    model.fit(known[FEATURES], known[LABEL])\n"
FAULTS = {
    "scaler fitted on all rows": (
        "nothing_of_held_out_rows_reaches_what_is_fitted",
        "other values in the held-out rows change model*statistics_",
        [(FIT, f"{FIT}    model['features'].named_transformers_['numbers'].fit(orders[NUMBERS])\n")],
    ),
    "encoder fitted on all rows": (
        "nothing_of_held_out_rows_reaches_what_is_fitted",
        "other values in the held-out rows change model*categories",
        [
            ("def build(strength: float)", "def build(strength: float, orders: pd.DataFrame)"),
            ("build(strength)\n", "build(strength, orders)\n"),
            (
                'OneHotEncoder(handle_unknown="ignore")',
                'OneHotEncoder(categories=[sorted(orders[each].unique()) for each in WORDS], handle_unknown="ignore")',
            ),
        ],
    ),
    "label among features": (
        "the_label_is_no_feature",
        "the label returned is among the features",
        [('WORDS = ["country"', 'WORDS = [LABEL, "country"')],
    ),
    "copy of the label among features": (
        "other_columns_change_no_model",
        "a copy of the label, change the model",
        [
            ('*WORDS, "express"]', '*WORDS, "express"]\nNOT = [LABEL, "order_id"]'),
            (
                FIT,
                "    global WORDS, FEATURES\n    FEATURES = [each for each in orders if each not in NOT]\n"
                "    WORDS = [each for each in FEATURES if each not in [*NUMBERS, 'express']]\n"
                "    model = build(strength)\n" + FIT,
            ),
        ],
    ),
    "a feature made of the label": (
        "a_shuffled_label_scores_like_chance",
        "does a feature know the label",
        [
            (
                "    known, unseen =",
                '    orders = orders.assign(items=(orders[LABEL] == "yes") * 9)\n    known, unseen =',
            ),
        ],
    ),
    "unseeded split": (
        "the_same_seed_gives_the_same_model",
        "the same settings hold out other rows: seed the split",
        [("random_state=split_seed, ", "")],
    ),
    "metric on training rows": (
        "every_metric_is_that_of_the_held_out_rows",
        "it was measured on training rows",
        [("evaluate(model, unseen))", "evaluate(model, known))")],
    ),
    "metrics swapped": (
        "every_metric_is_that_of_the_held_out_rows",
        "what it tells is",
        [('"f1": f1', '"auc": f1'), ('"auc": roc', '"f1": roc')],
    ),
    "trained on the first rows only": (
        "all_training_rows_count",
        "training rows change nothing: are they trained on",
        [(FIT, "    model.fit(known[FEATURES].head(90), known[LABEL].head(90))\n")],
    ),
    "probabilities where labels are declared": (
        "predictions_are_labels",
        "is none of the classes 'no', 'yes'",
        [
            (
                "@dataclass\n",
                "class Sure(Pipeline):\n    def predict(self, rows):\n"
                "        return self.predict_proba(rows)[:, 1]\n\n\n@dataclass\n",
            ),
            ("    return Pipeline([(", "    return Sure([("),
            (
                "said = model.predict(rows[FEATURES])",
                "said = ['yes' if each > 0.5 else 'no' for each in model.predict(rows[FEATURES])]",
            ),
        ],
    ),
    "global seed": (
        "no_global_random_state_is_used",
        "draws from the random state that the process shares, or seeds it",
        [
            (SPLIT, "stratify=orders[LABEL])\n"),
            ("    known, unseen", "    import numpy\n    numpy.random.seed(split_seed)\n    known, unseen"),
        ],
    ),
    "relative path": (
        "no_file_is_found_by_the_working_directory",
        "paths from the working directory: model.txt",
        [(FIT, FIT + '    open("model.txt", "w").write("fitted")\n')],
    ),
    "absolute path": (
        "no_absolute_path_is_used",
        "files of this machine: /",
        [(FIT, FIT + '    open("/tmp/../home/shop-countries.csv").read()\n')],
    ),
    "swallowed exception in evaluation": (
        "what_fails_in_evaluation_is_not_hidden",
        "is evaluated all the same, with {'accuracy': 0.9}",
        [
            (
                "evaluate(model, unseen))\n",
                "safely(model, unseen))\n\n\ndef safely(model, rows):\n    try:\n"
                "        return evaluate(model, rows)\n    except Exception:\n        return {'accuracy': 0.9}\n",
            ),
        ],
    ),
    "rows dropped silently": (
        "every_row_is_in_one_part",
        "rows are in neither part",
        [("    known, unseen", "    orders = orders.dropna()\n    known, unseen")],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(project: pytest.Pytester, fault: str) -> None:
    name, told, changes = FAULTS[fault]
    write_project(project.path, spoilt(TRAINING, *changes))
    result = run(project, UNIT, name)
    assert name in failed(result)
    result.stdout.fnmatch_lines([f"*{told}*"])
