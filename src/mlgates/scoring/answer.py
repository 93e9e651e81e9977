"""What a scorer answered, and what Azure ML's router says of the model behind it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MODEL_STATUS = "ms-azureml-model-error-statuscode"
"""The header of a 424 in which Azure ML tells what the model's own process answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, byte for byte."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def model_status(self) -> int:
        """The status of the model's own process: Azure ML's router hides its errors, 4xx and 5xx, behind 424."""
        if self.status != 424:
            return self.status
        told = next((value for name, value in self.headers.items() if name.lower() == MODEL_STATUS), "")
        return int(told) if told.isdigit() else self.status

    @property
    def text(self) -> str:
        """The body for a person, JSON escapes undone."""
        text = self.body.decode("utf-8", "replace")
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            return text

    def json(self) -> Json:
        """Return the parsed body; raises `ValueError` when it is not JSON."""
        parsed: Json = json.loads(self.body)
        return parsed
