"""A project of nobody's, in a temporary folder: the orders of a shop, with gaps, words and a label of words."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COLUMNS = ["order_id", "price", "items", "country", "channel", "express", "returned"]


def expect(kind: str, **settings: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": settings}


EXPECTATIONS = [
    expect("table_columns_to_match_ordered_list", column_list=COLUMNS),
    expect("column_values_to_be_of_type", column="order_id", type_="int64"),
    expect("column_values_to_be_unique", column="order_id"),
    expect("column_values_to_be_in_type_list", column="price", type_list=["int64", "float64"]),
    expect("column_values_to_be_between", column="price", min_value=1, max_value=900),
    expect("column_values_to_not_be_null", column="price", mostly=0.8),
    expect("column_values_to_be_of_type", column="items", type_="int64"),
    expect("column_values_to_be_between", column="items", min_value=1, max_value=30),
    expect("column_values_to_be_in_set", column="country", value_set=["DE", "FR", "JP", "US"]),
    expect("column_values_to_be_in_set", column="channel", value_set=["app", "web"]),
    expect("column_values_to_be_of_type", column="express", type_="bool"),
    expect("column_values_to_be_in_set", column="returned", value_set=["no", "yes"]),
]
FILES = {
    "mlops/config-mlops.yml": "variables: {}\n",
    "mlops/gates.yml": "evaluation:\n  label: returned\n  task: binary\n  positive: 'yes'\n",
    "mlops/training.yml": "training: shop.train:train\nforbidden: [order_id]\n",
    "data/expectations/training-set.json": json.dumps({"name": "orders", "expectations": EXPECTATIONS}),
    "src/shop/__init__.py": "",
    "src/.amlignore": "/*\n!/shop/\n",
    "mlops/continuous-training/pipeline.yml": (
        "type: command\ncode: ../../src\n"
        "command: >-\n  python -m shop.main --orders ${{inputs.orders}}\n  --strength ${{inputs.strength}}\n"
        "inputs:\n  orders: {type: uri_file, path: azureml:orders@latest}\n  strength: 2.0\n"
    ),
    "tests/unit/test_job.py": (
        "from mlgates.suites import TrainingJobSuite\n\n\nclass TestJob(TrainingJobSuite):\n    pass\n"
    ),
    "tests/unit/test_training.py": (
        "from mlgates.suites import TrainingSuite\n\n\nclass TestTraining(TrainingSuite):\n    pass\n"
    ),
}
TRAINING, MAIN = ((HERE / "shop" / name).read_text(encoding="utf-8") for name in ("train.py", "main.py"))


def write_project(root: Path, training: str = TRAINING, main: str = MAIN, **declared: str) -> None:
    """Write the project with this training code, and further lines of mlops/training.yml."""
    lines = "".join(f"{key}: {value}\n" for key, value in declared.items())
    for name, content in {**FILES, "src/shop/train.py": training, "src/shop/main.py": main}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + (lines if name == "mlops/training.yml" else ""), encoding="utf-8")


def spoilt(text: str, *changes: tuple[str, str]) -> str:
    """Return code with each change, which must be one."""
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} places have {old!r}"
        text = text.replace(old, new)
    return text
