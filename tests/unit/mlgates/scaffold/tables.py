"""Tables as a file of CSV gives them, for tests of what is drafted from one."""

import io

import pandas as pd

from mlgates.scaffold.columns import Column, read_columns


def columns_of(frame: pd.DataFrame) -> list[Column]:
    """Return the columns of `frame` as they are read from its CSV."""
    text = frame.to_csv(index=False)
    return read_columns(pd.read_csv(io.StringIO(text)), pd.read_csv(io.StringIO(text), dtype=str))


def column_of(*values: object, name: str = "x") -> Column:
    """Return one column."""
    (column,) = columns_of(pd.DataFrame({name: list(values)}))
    return column
