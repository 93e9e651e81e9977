"""Requests in, answers out: those that wait together are asked of the model together."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException

from amlocal.serving.frames import Answer, Request
from amlocal.serving.model import Model, json_ready
from amlocal.serving.questions import Question, read_question
from amlocal.serving.refusal import Refusal

if TYPE_CHECKING:
    Asked = tuple[Request, Question]


class Scorer:
    """Answers scoring requests with one model.

    Tables are merged only if `merges`: on the model's own example, asking for two rows at once gave what asking for
    each alone gave.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.merges = _is_rowwise(model)

    def answers(self, requests: Sequence[Request]) -> Iterator[list[Answer]]:
        """Yield the answers of the requests, in any order, those that are ready at the same time together."""
        groups: dict[object, list[Asked]] = {}
        refused: list[Answer] = []
        for request in requests:
            try:
                question = read_question(request, self._model.signature)
            except Refusal as refusal:
                refused.append(_refused(request, str(refusal), refusal.status))
                continue
            merged = self.merges and question.columns is not None
            groups.setdefault(question.key if merged else request.number, []).append((request, question))
        if refused:
            yield refused
        for group in groups.values():
            yield from self._together(group)

    def _together(self, group: Sequence[Asked]) -> Iterator[list[Answer]]:
        if len(group) == 1:
            yield [self._alone(*group[0])]
            return
        try:
            yield self._merged(group)
        except Exception:  # noqa: BLE001 - whatever the model raised: whose fault it was shows when each is asked alone
            for request, question in group:
                yield [self._alone(request, question)]

    def _merged(self, group: Sequence[Asked]) -> list[Answer]:
        questions = [question for _, question in group]
        names = questions[0].columns or {}
        columns = {name: np.concatenate([(one.columns or {})[name] for one in questions]) for name in names}
        started = time.perf_counter()
        rows = json_ready(self._model.predict(self._frame(columns), questions[0].params))
        took = (time.perf_counter() - started) * 1000
        if not isinstance(rows, list) or len(rows) != sum(question.rows for question in questions):
            raise ValueError("the model gave another number of predictions than it was asked for")
        answers, start = [], 0
        for request, question in group:
            answers.append(Answer(request.number, 200, _encode(rows[start : start + question.rows]), took))
            start += question.rows
        return answers

    def _alone(self, request: Request, question: Question) -> Answer:
        data = question.data if question.columns is None else self._frame(question.columns)
        started = time.perf_counter()
        try:
            predictions = self._model.predict(data, question.params)
        except MlflowException as error:  # the signature, as MLflow sees it
            return _refused(request, error.message, 400)
        except Exception as error:  # noqa: BLE001 - the model's code may raise anything; the process serves on
            traceback.print_exc(file=sys.stderr)
            return _refused(request, f"The model failed: {type(error).__name__}: {error}", 500)
        took = (time.perf_counter() - started) * 1000
        return Answer(request.number, 200, _encode(json_ready(predictions)), took)

    def _frame(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        names = pd.Index(list(columns) if self._model.signature.named else range(len(columns)))
        kinds = {column.dtype for column in columns.values()}
        if len(kinds) == 1 and next(iter(kinds)).kind == "f":  # one block, which costs a tenth of one a column
            return pd.DataFrame(np.column_stack(list(columns.values())), columns=names)
        return pd.DataFrame(dict(zip(names, columns.values())))  # noqa: B905 - strict is of Python 3.10


_JSON = json.JSONEncoder(allow_nan=False)


def _encode(value: Any) -> bytes:
    return _JSON.encode(value).encode()


def _refused(request: Request, message: str, status: int) -> Answer:
    code = "ModelError" if status >= 500 else "BadRequest"
    return Answer(request.number, status, _encode({"error": {"code": code, "message": message}}))


def _is_rowwise(model: Model) -> bool:
    """Tell whether the model predicts each row by itself, as far as its own example shows."""
    example = model.example
    if not model.signature.columns or example is None or example.empty:
        return False
    rows = pd.concat([example, example.iloc[::-1]], ignore_index=True).head(16)
    try:
        together = json_ready(model.predict(rows))
        alone = [json_ready(model.predict(rows.iloc[[number]])) for number in range(len(rows))]
    except Exception as error:  # noqa: BLE001 - a model that fails on its example may serve all the same
        print(f"The model fails on its own input example: {error}", file=sys.stderr)  # noqa: T201 - this is the log
        return False
    return isinstance(together, list) and alone == [[row] for row in together]
