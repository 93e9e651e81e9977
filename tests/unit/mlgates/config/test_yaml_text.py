import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.yaml_text import parse_yaml

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="ascii"))
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text("abc:- #'"), inner))


@given(DOCUMENTS)
def test_it_is_read_as_pyyaml_reads_it_in_python(document: object) -> None:
    text = yaml.safe_dump(document)
    assert parse_yaml(text) == yaml.safe_load(text)
