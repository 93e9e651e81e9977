"""A conda match specification (`numpy=1.26`) as a name and PEP 440 specifiers.

Sources: conda's documentation, "Package match specifications", and the rules of its MatchSpec and VersionSpec classes;
PEP 440, "Version specifiers".

| conda                      | PEP 440     | why                                                            |
|----------------------------|-------------|----------------------------------------------------------------|
| `=1.26`, `=1.26.*`, `1.26*`| `==1.26.*`  | one `=` is fuzzy: the release and everything below it          |
| `==1.26`, ` 1.26`          | `==1.26`    | two, or a bare version, are exact                              |
| `=1.26.4=py311h64_0`       | `==1.26.4`  | with a build string one `=` is exact too; PyPI has no builds   |
| `>=1.2.*`                  | `>=1.2`     | conda ignores `.*` after an ordering                           |
| `!=1.2.*`, `~=1.4.2`, `>=1,<2` | the same | both read them alike                                           |
| `1.2|1.3`, `^regex`        | refused     | PEP 440 knows no alternatives and no patterns                  |
"""

import re
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from amlocal.runtimes.errors import InvalidDefinition

_SPEC = re.compile(
    r"""(?:[^\s\[\]]+::)?                  # conda-forge::, conda-forge/linux-64::, https://host/channel::
        (?P<name>\w[\w.\-]*)
        \s*(?P<version>[^\[\]]*?)\s*
        (?:\[(?P<keys>.*)\])?              # [version='>=1.2', build=py311*]""",
    re.VERBOSE,
)
_KEY = re.compile(r"""(\w+)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^,'"\s]+))\s*(?:,|$)""")
_BUILD = re.compile(r"(?P<version>.*[^=!<>~,| ])[ =](?P<build>[^ =!<>~,|]+)")
_CLAUSE = re.compile(r"(?P<operator>==|!=|>=|<=|~=|>|<|=|)(?P<version>[^=<>!~]+)")
# Narrower than PEP 440 on purpose: conda's `2023c` is a release, but PEP 440 reads it as the candidate 2023rc0.
_VERSION = re.compile(r"(?:\d+!)?\d+(?:\.\d+)*(?:\.?(?:a|b|rc|alpha|beta|post|dev)\d+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """A conda package, by its conda name in lower case, and the versions that will do."""

    name: str
    specifiers: SpecifierSet

    def __str__(self) -> str:
        return f"{self.name}{self.specifiers}"


def parse_match_spec(text: str) -> MatchSpec:
    """Read one entry of a conda file's `dependencies`. Raises `InvalidDefinition`."""
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise InvalidDefinition(
            f"conda dependency {text!r} is not a package like `numpy=2.4` or `conda-forge::numpy>=2,<3`"
        )
    version = re.sub(r"\s*(==|!=|>=|<=|~=|[=<>,|])\s*", r"\1", match["version"])
    try:
        return MatchSpec(
            match["name"].lower(), SpecifierSet(_translate(version or _keyed_version(match["keys"] or "")))
        )
    except (InvalidSpecifier, ValueError) as error:
        raise InvalidDefinition(
            f"conda dependency {text!r} cannot be said in the version language of pip ({error}); "
            "write it with =, ==, !=, <, >, or name the package in the `pip:` section"
        ) from error


def _keyed_version(keys: str) -> str:
    """The version among the bracketed keys, which override nothing but may be all that there is."""
    return next((a or b or c for key, a, b, c in _KEY.findall(keys) if key == "version"), "")


def _translate(version: str) -> str:
    built = _BUILD.fullmatch(version)
    clauses = (built["version"] if built else version).split(",")
    return ",".join(filter(None, (_clause(part, exact=built is not None) for part in clauses if part)))


def _clause(text: str, *, exact: bool) -> str:
    """One part between commas, empty for any version; `exact` takes a lone `=` for `==`. Raises `ValueError`."""
    match = _CLAUSE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a version")
    operator, version = match["operator"], match["version"].rstrip("*").rstrip(".")
    starred = match["version"].endswith("*") or (operator == "=" and not exact)
    if not version:
        return ""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{match['version']!r} is not a version as PyPI writes them")
    operator = "==" if operator in {"", "="} else operator
    return f"{operator}{version}.*" if starred and operator in {"==", "!="} else f"{operator}{version}"
