"""The training code of a shop: will an order come back?"""

from dataclasses import dataclass

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

LABEL = "returned"
NUMBERS = ["price", "items"]
WORDS = ["country", "channel"]
FEATURES = [*NUMBERS, *WORDS, "express"]


@dataclass
class Result:
    model: Pipeline
    train: pd.DataFrame
    test: pd.DataFrame
    metrics: dict[str, float]


def train(orders: pd.DataFrame, *, split_seed: int = 0, strength: float = 1.0) -> Result:
    known, unseen = train_test_split(orders, test_size=0.25, random_state=split_seed, stratify=orders[LABEL])
    model = build(strength)
    model.fit(known[FEATURES], known[LABEL])
    return Result(model, known, unseen, evaluate(model, unseen))


def build(strength: float) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    steps = [("numbers", numbers, NUMBERS), ("words", words, WORDS), ("express", "passthrough", ["express"])]
    return Pipeline([("features", ColumnTransformer(steps)), ("model", LogisticRegression(C=strength))])


def evaluate(model: Pipeline, rows: pd.DataFrame) -> dict[str, float]:
    truth = rows[LABEL]
    said = model.predict(rows[FEATURES])
    chances = model.predict_proba(rows[FEATURES])[:, 1]
    return {
        "accuracy": accuracy_score(truth, said),
        "f1": f1_score(truth, said, pos_label="yes"),
        "auc": roc_auc_score(truth == "yes", chances),
    }
