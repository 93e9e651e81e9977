"""Records of any content, hostile names among them."""

from hypothesis import strategies as st

from mlgates.core.gates import CheckResult, GateRecord, Verdict
from mlgates.core.values import ModelArtifact

HOSTILE = ("<script>alert(1)</script>", "a|b\nc", "`code` *bold* [x](y)", "\"&'", "\x00\x1b[31m", "]]>", "{{ 7*7 }}")
texts = st.sampled_from(HOSTILE) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
figures = st.none() | st.floats(-1e6, 1e6) | st.just(float("nan"))
results = st.builds(
    CheckResult,
    name=texts,
    verdict=st.sampled_from(Verdict),
    reason=texts,
    figure=figures,
    limit=texts,
    least=figures,
    most=figures,
    unit=texts,
    remedy=texts,
    evidence=st.just({}) | st.fixed_dictionaries({"low": figures, "high": figures}),
    seconds=st.floats(0, 1e4),
)
subjects = st.builds(
    ModelArtifact.of, st.builds("{}:{}".format, texts, texts), texts, st.dictionaries(texts, texts, max_size=2)
)
records = st.builds(
    GateRecord,
    gate=texts,
    environment=texts,
    workspace=texts,
    candidate=st.none() | subjects,
    champion=st.none() | subjects,
    results=st.lists(results, max_size=4).map(tuple),
    started=texts,
    seconds=st.floats(0, 1e5),
    commit=texts,
    build=st.none() | texts,
)
