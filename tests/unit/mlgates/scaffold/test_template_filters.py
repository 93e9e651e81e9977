import ast

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlgates.scaffold.template_filters import as_python, as_yaml

values = st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.one_of(values, st.lists(values).map(tuple)))
def test_python_reads_the_value_that_was_written(value: object) -> None:
    assert ast.literal_eval(as_python(value)) == value


@given(st.one_of(values, st.lists(values)))
def test_yaml_reads_the_value_that_was_written(value: object) -> None:
    assert yaml.safe_load(as_yaml(value)) == value


def test_a_tuple_that_fits_no_line_has_one_value_a_line() -> None:
    assert as_python(["a" * 60, "b" * 60], before=10) == f'(\n    "{"a" * 60}",\n    "{"b" * 60}",\n)'


def test_a_quote_within_is_written_as_a_formatter_does() -> None:
    assert [as_python(each) for each in ("it's", 'say "a"', """both ' and " here""")] == [
        '"it\'s"',
        "'say \"a\"'",
        '"both \' and \\" here"',
    ]
