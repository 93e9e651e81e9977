"""Assets as they are kept: versions that never change, the containers above them, and what each kind of asset is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlocal.core.context import Context
from amlocal.core.decoding import check_name, flag, text, texts
from amlocal.core.documents import Document, Listing, Term, tag_filter, tag_terms, views_of
from amlocal.core.errors import Conflict, NotFound
from amlocal.core.paging import LoadedList, PagedList

Properties = Mapping[str, Any]
_CONTAINER_FIELDS = {"isArchived": flag, "description": text, "tags": texts, "properties": texts}


@dataclass(frozen=True, slots=True)
class AssetKind:
    """The rules of a kind of asset.

    `accept` turns the properties that a client sent into those that are kept (raising `ApiError` on nonsense);
    `definition` picks what may never change under one name and version. A second PUT of the same definition answers
    `repeat_status`; `touches` tells whether it moves the date of the last change, and `shows_editor` whether the
    first answer already names who changed it (Azure differs by kind). A kind that is `slow` to accept is accepted in a
    thread.
    """

    collection: str
    accept: Callable[[Properties], dict[str, Any]]
    definition: Callable[[Properties], object]
    conflict: Callable[[str, str], Conflict]
    missing_version: Callable[[str, str], NotFound]
    missing_container: Callable[[str], NotFound]
    container: Callable[[Properties], dict[str, Any]]
    repeat_status: int = 200
    touches: bool = True
    shows_editor: bool = True
    slow: bool = False
    mutable: tuple[str, ...] = ("description", "tags", "properties", "isArchived")


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


@dataclass(frozen=True, slots=True)
class AssetContainer:
    """A container with what its versions say of it: the newest that is not archived, and the next number."""

    document: Document
    latest: Document | None
    next_version: str


class AssetStore:
    """The assets of one kind. A version's document holds `properties`, `created` and `modified`."""

    def __init__(self, context: Context, kind: AssetKind) -> None:
        self._context = context
        self.kind = kind
        self._container = f"{kind.collection}/container"
        # The versions first: whether a container is listed is read from their index.
        context.documents.index(kind.collection, version_terms)
        context.documents.index(self._container, self._container_terms)

    def get(self, name: str, version: str) -> Document:
        """Return a version. Raises the kind's `NotFound`."""
        found = self._context.documents.get(self.kind.collection, name, version)
        if found is None:
            raise self.kind.missing_version(name, version)
        return found

    def has(self, name: str, version: str) -> bool:
        """Return whether there is such a version."""
        return self._context.documents.get(self.kind.collection, name, version) is not None

    def versions(self, name: str, view: str = "All", query: Mapping[str, str] | None = None) -> PagedList[Document]:
        """Return the list of the versions of a name in a view, with the tag and the stage that `query` names."""
        return self._select(*version_filter(name, view, query or {}))

    def with_hash(self, digest: str) -> Listing:
        """Return the list of the versions of any name whose content has a hash."""
        return self._select(hashed(digest))

    def _select(self, *terms: Term) -> Listing:
        return self._context.documents.select(self.kind.collection, *terms)

    def latest(self, name: str) -> Document:
        """Return the newest version that is not archived. Raises the kind's `NotFound`."""
        found = self._select(*version_filter(name, "ActiveOnly", {})).first()
        if found is None:
            raise self.kind.missing_container(name)
        return found

    def put(self, name: str, version: str, properties: Mapping[str, Any]) -> tuple[Document, bool]:
        """Create a version, or update what may change of it; return it and whether it is new.

        Raises the kind's `Conflict` when it exists with another definition.
        """
        check_name(name, "name")
        check_name(version, "version")
        given = _common(properties) | self.kind.accept(properties)
        with self._context.documents.transaction():
            known = self._context.documents.get(self.kind.collection, name, version)
            if known is None:
                return self._create(name, version, given), True
            return self._update(known, given), False

    def _create(self, name: str, version: str, properties: dict[str, Any]) -> Document:
        now = self._context.now()
        if self._context.documents.get(self._container, name) is None:
            self._context.documents.put(self._container, name, _new_container(now))
        body = {"properties": properties, "created": now, "modified": now if self.kind.shows_editor else None}
        document = self._context.documents.put(self.kind.collection, name, body, version)
        self._context.documents.index_again(self._container, name)
        return document

    def _update(self, known: Document, given: dict[str, Any]) -> Document:
        kept = known.body["properties"]
        if self.kind.definition(kept) != self.kind.definition(given):
            raise self.kind.conflict(known.name, known.version)
        properties = kept | {key: given[key] for key in self.kind.mutable if key in given}
        modified = self._context.now() if self.kind.touches else known.body["modified"]
        body = {"properties": properties, "created": known.body["created"], "modified": modified}
        return self._context.documents.put(known.kind, known.name, body, known.version)

    def delete(self, name: str, version: str) -> bool:
        """Remove a version; False when there is none."""
        with self._context.documents.transaction():
            deleted = self._context.documents.delete(self.kind.collection, name, version)
            self._context.documents.index_again(self._container, name)
        return deleted

    def get_container(self, name: str) -> Document:
        """Return the container of a name. Raises the kind's `NotFound`."""
        found = self._context.documents.get(self._container, name)
        if found is None:
            raise self.kind.missing_container(name)
        return found

    def containers(self, view: str = "All") -> LoadedList[Document, AssetContainer]:
        """Return the list of the containers in a view; those of anonymous assets are not listed."""
        return LoadedList(self._context.documents.select(self._container, (view,)), self.summed_up)

    def summed_up(self, containers: Sequence[Document]) -> list[AssetContainer]:
        """Return containers with what their versions say of them, in as many statements for many as for one."""
        documents, names = self._context.documents, [document.name for document in containers]
        latest = documents.newest(self.kind.collection, [(name, "ActiveOnly") for name in names])
        highest = documents.highest(self.kind.collection, names)
        return [
            AssetContainer(document, newest, _next(largest))
            for document, newest, largest in zip(containers, latest, highest, strict=True)
        ]

    def _container_terms(self, container: Document) -> Iterator[Term]:
        name, documents = container.name, self._context.documents
        anonymous = not documents.has(self.kind.collection, named(name))
        if anonymous and documents.has(self.kind.collection, (name, "All")):
            return
        for view in views_of(container.body["isArchived"]):
            yield (view,)

    def put_container(self, name: str, properties: Mapping[str, Any]) -> Document:
        """Create or update a container: archive, restore, tags, description."""
        check_name(name, "name")
        now = self._context.now()
        known = self._context.documents.get(self._container, name)
        body = dict(known.body) if known else _new_container(now)
        for key, read in _CONTAINER_FIELDS.items():
            if properties.get(key) is not None:
                body[key] = read(properties, key)
        return self._context.documents.put(self._container, name, body | {"modified": now})

    def next_version(self, name: str) -> str:
        """Return one more than the largest whole-number version; archived ones count, "1" when there is none."""
        return _next(self._context.documents.highest(self.kind.collection, [name])[0])


def _next(version: int) -> str:
    return str(version + 1)


def _new_container(now: str) -> dict[str, Any]:
    return {"isArchived": False, "description": None, "tags": {}, "properties": {}, "created": now, "modified": now}


def _common(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": text(properties, "description"),
        "tags": texts(properties, "tags"),
        "properties": texts(properties, "properties"),
        "isArchived": flag(properties, "isArchived"),
        "isAnonymous": flag(properties, "isAnonymous"),
    }
