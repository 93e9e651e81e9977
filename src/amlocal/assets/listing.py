"""Under which terms the versions of assets are listed."""

from collections.abc import Iterator, Mapping

from amlocal.core.documents import Document
from amlocal.core.paging import views_of
from amlocal.core.postings import Term, tag_filter, tag_terms


def version_terms(document: Document) -> Iterator[Term]:
    """Yield the terms of a version: its name with each view, its tags and its stage; the hash of its code."""
    name, properties = document.name, document.body["properties"]
    for view in views_of(properties["isArchived"]):
        yield (name, view)
        for term in tag_terms(properties["tags"]):
            yield (name, view, *term)
        if stage := properties.get("stage"):
            yield (name, view, "stage", stage)
    if not properties["isAnonymous"]:
        yield named(name)
    if digest := properties["properties"].get("hash_sha256"):
        yield hashed(digest)


def version_filter(name: str, view: str, query: Mapping[str, str]) -> list[Term]:
    """Return the terms of the versions that a query asks for: in the view, with the tag and the stage."""
    terms: list[Term] = [(name, view, *term) for term in tag_filter(query.get("tag", ""))]
    if stage := query.get("stage"):
        terms.append((name, view, "stage", stage))
    return terms or [(name, view)]


def named(name: str) -> Term:
    """Return the term of the versions of a name that are not anonymous."""
    return (name, "named")


def hashed(digest: str) -> Term:
    """Return the term of the code with a hash."""
    return ("hash", digest)
