"""Conda match specifications mean the same to pip after translation."""

from collections.abc import Callable
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.runtimes.definitions.match_spec import parse_match_spec
from amlocal.runtimes.errors import InvalidDefinition

Release = tuple[int, ...]
Meaning = Callable[[Release], bool]

releases = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple)


def _text(release: Release) -> str:
    return ".".join(map(str, release))


def _padded(left: Release, right: Release) -> tuple[Release, Release]:
    pairs = list(zip_longest(left, right, fillvalue=0))
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def _below(asked: Release) -> Meaning:
    return lambda release: (*release, 0, 0)[: len(asked)] == asked


def _same(asked: Release) -> Meaning:
    return lambda release: len(set(_padded(release, asked))) == 1


def _ordered(asked: Release, *, least: bool) -> Meaning:
    return lambda release: (_padded(release, asked)[0] >= _padded(release, asked)[1]) is least


def _not(meaning: Meaning) -> Meaning:
    return lambda release: not meaning(release)


def _clauses(asked: Release) -> list[tuple[str, Meaning]]:
    """Every way to write one clause after a name, with conda's reading of it."""
    version = _text(asked)
    return [
        (f"={version}", _below(asked)),
        (f"={version}.*", _below(asked)),
        (f"={version}*", _below(asked)),
        (f"=={version}.*", _below(asked)),
        (f"=={version}", _same(asked)),
        (f">={version}", _ordered(asked, least=True)),
        (f">={version}.*", _ordered(asked, least=True)),
        (f"<{version}", _ordered(asked, least=False)),
        (f"!={version}", _not(_same(asked))),
        (f"!={version}.*", _not(_below(asked))),
    ]


clauses = releases.flatmap(lambda asked: st.sampled_from(_clauses(asked)))


@given(clauses, releases)
def test_a_clause_admits_the_releases_that_conda_admits(clause: tuple[str, Meaning], release: Release) -> None:
    text, meaning = clause
    assert parse_match_spec(f"package{text}").specifiers.contains(_text(release)) is meaning(release)


@given(clauses, clauses, releases, st.sampled_from(["", " "]))
def test_clauses_between_commas_hold_together(
    first: tuple[str, Meaning], second: tuple[str, Meaning], release: Release, space: str
) -> None:
    spec = parse_match_spec(f"package{space}{first[0]}{space},{space}{second[0]}")
    assert spec.specifiers.contains(_text(release)) is (first[1](release) and second[1](release))


@given(releases, releases, st.sampled_from(["p={}=py311_0", "p {} py311_0", "p=={}=py311_0", "p {}", "p={}=*"]))
def test_a_bare_version_and_one_with_a_build_are_exact(asked: Release, release: Release, form: str) -> None:
    spec = parse_match_spec(form.format(_text(asked)))
    assert spec.specifiers.contains(_text(release)) is _same(asked)(release)


@given(clauses, st.sampled_from(["conda-forge::", "conda-forge/linux-64::", "https://channels.example.org/free::", ""]))
def test_the_channel_does_not_matter(clause: tuple[str, Meaning], channel: str) -> None:
    assert parse_match_spec(f"{channel}package{clause[0]}") == parse_match_spec(f"package{clause[0]}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("numpy *", "numpy"),
        ("numpy=*", "numpy"),
        ("blas=*=openblas", "blas"),
        ("_libgcc_mutex=0.1=main", "_libgcc_mutex==0.1"),
        ("ruamel.yaml = 0.18", "ruamel.yaml==0.18.*"),
        ("numpy[version='>=1.2,<2']", "numpy<2,>=1.2"),
        ('numpy[build=py311*, version="1.26.*"]', "numpy==1.26.*"),
        ("numpy[channel=conda-forge]", "numpy"),
        ("scipy~=1.4.2", "scipy~=1.4.2"),
        ("torch=2.1.0rc1=cpu", "torch==2.1.0rc1"),
        ("pkg<2.0a0", "pkg<2.0a0"),
    ],
)
def test_forms_of_a_specification(text: str, expected: str) -> None:
    assert str(parse_match_spec(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "numpy=1.2|1.3",
        "numpy=^1.*$",
        "tzdata=2023c",
        "numpy=1.*.3",
        "openssl=1.1.1w",
        "numpy=1_2",
        "numpy>=",
        "a b c d[",
        "~=1",
    ],
)
def test_what_pip_cannot_say_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidDefinition) as caught:
        parse_match_spec(text)
    assert repr(text) in str(caught.value)
