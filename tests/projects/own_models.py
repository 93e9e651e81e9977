"""What a person edits by hand in a made project for a model of another kind: training code, its pins, limits."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

Edits = Mapping[str, list[tuple[str, str]]]
"""By file, each text that is replaced, and by what; a file that is not there begins empty."""


def flats(rows: int = 600) -> pd.DataFrame:
    """Return flats with a town, a date, and whether they were sold."""
    chance = np.random.default_rng(0)
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(chance.integers(0, 700, rows), "D"))
    frame = pd.DataFrame(
        {
            "size": chance.normal(100, 25, rows).round(1),
            "rooms": chance.integers(1, 6, rows),
            "town": chance.choice(["Oslo", "Bergen", "Tromsø"], rows),
            "listed": days.dt.strftime("%Y-%m-%d"),
        }
    )
    price = 3 * frame["size"] + 20 * frame["rooms"] + np.where(frame["town"] == "Oslo", 80, 0)
    return frame.assign(sold=np.where(price + chance.normal(0, 25, rows) > 420, "yes", "no"))


LIGHTGBM: Edits = {
    "src/flats/estimators.py": [
        ("from sklearn.compose import", "from lightgbm import LGBMClassifier\nfrom sklearn.compose import"),
        (
            "ESTIMATORS: Final =",
            "def boosted(seed: int) -> Pipeline:\n"
            '    """Gradient boosting."""\n'
            "    trees = LGBMClassifier(random_state=seed, verbose=-1)\n"
            '    return Pipeline([("features", features()), ("model", trees)])\n'
            "\n\nESTIMATORS: Final =",
        ),
        ('"forest": forest}', '"forest": forest, "boosted": boosted}'),
        (
            "TRUSTED_TYPES: Final = (",
            'TRUSTED_TYPES: Final = ("collections.OrderedDict", "lightgbm.basic.Booster", '
            '"lightgbm.sklearn.LGBMClassifier", ',
        ),
    ],
    "mlops/continuous-training/train-conda.yml": [("      - skops", "      - lightgbm==4.7.0\n      - skops")],
    "mlops/gates.yml": [
        (
            "trusted_types: [",
            'trusted_types: ["collections.OrderedDict", "lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier", ',
        )
    ],
}
"""LightGBM in the pipeline of scikit-learn; train it by `--estimator boosted`."""

OF_ONE_MODEL = (
    "every_metric_is_that_of_the_held_out_rows",
    "predictions_are_labels",
    "the_logged_model_predicts_as_the_fitted_one",
    "a_shuffled_label_scores_like_chance",
)
"""Properties of training code whose fitted model is what is logged."""

PYFUNC: Edits = {
    "src/flats/appraiser.py": [
        (
            "",
            '"""The model as it is served: three outputs for a row, one of them made from a date."""\n'
            "\n"
            "from typing import Any\n"
            "\n"
            "import mlflow.pyfunc\n"
            "import pandas as pd\n"
            "\n"
            "\n"
            "class Appraiser(mlflow.pyfunc.PythonModel):\n"
            "    def __init__(self, model: Any) -> None:\n"
            "        self.model = model\n"
            "\n"
            "    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:\n"
            "        place = list(self.model.classes_).index('yes')\n"
            "        chance = self.model.predict_proba(model_input)[:, place]\n"
            "        year = pd.to_datetime(model_input['listed']).dt.year.astype('int64').to_numpy()\n"
            "        return pd.DataFrame({'sold': self.model.predict(model_input), 'chance': chance, 'year': year})\n",
        )
    ],
    "src/flats/saving.py": [
        ("import mlflow.sklearn\n", "import mlflow.pyfunc\n"),
        ("from flats.estimators import TRUSTED_TYPES\n", "from flats.appraiser import Appraiser\n"),
        (
            "mlflow.sklearn.save_model(\n        model,\n        str(folder),",
            "mlflow.pyfunc.save_model(\n        str(folder),",
        ),
        (
            '        serialization_format="skops",\n        skops_trusted_types=list(TRUSTED_TYPES),\n',
            "        python_model=Appraiser(model),\n        code_paths=[str(Path(__file__).parent)],\n",
        ),
        (
            "    return Schema([ColSpec(DataType.string)])\n",
            '    outputs = {"sold": DataType.string, "chance": DataType.double, "year": DataType.long}\n'
            "    return Schema([ColSpec(data_type, name) for name, data_type in outputs.items()])\n",
        ),
    ],
    "mlops/gates.yml": [
        ("  label: sold\n", "  label: sold\n  prediction: sold\n  probabilities: {chance: 'yes'}\n"),
        ("  supply_chain:\n", "  supply_chain:\n    trusted_formats: [pickle]\n"),
    ],
    "mlops/training.yml": [
        (
            "prepare: flats.table:check\n",
            "prepare: flats.table:check\nskip:\n"
            + "".join(
                f"  {name}: training fits a pipeline, and the job logs a pyfunc around it\n" for name in OF_ONE_MODEL
            ),
        )
    ],
}
"""A pyfunc around the pipeline, with a date among its inputs and three outputs."""


def edit(project: Path, edits: Edits) -> int:
    """Edit a made project; return how many places were touched."""
    for name, pairs in edits.items():
        text = (project / name).read_text(encoding="utf-8") if (project / name).exists() else ""
        for old, new in pairs:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new) if old else new
        (project / name).write_text(text, encoding="utf-8")
    return sum(map(len, edits.values()))
