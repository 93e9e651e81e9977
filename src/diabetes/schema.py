"""What a patient record is: its columns, their units, and the values that can be true of a person.

The ranges hold every living patient with room to spare, and are narrow enough that a column in a foreign unit
(glucose in mmol/L, pressure in kPa, age in months, BMI times ten) falls outside.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the training set: `minimum` and `maximum` are valid values themselves, in `unit`."""

    name: str
    dtype: Literal["int64", "float64"]
    unit: str
    minimum: float
    maximum: float
    meaning: str


IDENTIFIER: Final = "PatientID"
LABEL: Final = "Diabetic"

FEATURE_COLUMNS: Final = (
    Column("Pregnancies", "int64", "count", 0, 20, "times pregnant"),
    Column("PlasmaGlucose", "int64", "mg/dL", 30, 400, "two hours after an oral glucose tolerance test"),
    Column("DiastolicBloodPressure", "int64", "mmHg", 20, 150, "diastolic blood pressure"),
    Column("TricepsThickness", "int64", "mm", 5, 110, "skin fold over the triceps"),
    Column("SerumInsulin", "int64", "mu U/mL", 2, 1000, "serum insulin after two hours"),
    Column("BMI", "float64", "kg/m2", 10.0, 80.0, "body mass index"),
    Column("DiabetesPedigree", "float64", "score", 0.0, 3.0, "likelihood of diabetes by family history"),
    Column("Age", "int64", "years", 18, 110, "age"),
)

COLUMNS: Final = (
    Column(IDENTIFIER, "int64", "identifier", 1, 2**63 - 1, "the patient; never a feature"),
    *FEATURE_COLUMNS,
    Column(LABEL, "int64", "class", 0, 1, "1 when the patient has diabetes"),
)

FEATURES: Final = tuple(column.name for column in FEATURE_COLUMNS)
"""The eight features, in the order in which every model takes them."""
