"""How content is told from other content: checksums, kept as tags so that the same content is registered once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from azure.core.exceptions import ResourceNotFoundError

from mlgates.core.values import AssetVersion


class SdkAsset(Protocol):
    """What the SDK's asset entities have in common."""

    name: str
    version: str
    tags: Mapping[str, str] | None


def list_versions(versions: Callable[[], Iterable[SdkAsset]]) -> Iterator[AssetVersion]:
    """Yield what the SDK call `versions` lists, newest first as the service does; an unknown asset has no versions."""
    try:
        for each in versions():
            yield AssetVersion(each.name, str(each.version), created=False, tags=dict(each.tags or {}))
    except ResourceNotFoundError:
        return


def find_version(versions: Callable[[], Iterable[SdkAsset]], tag: str, value: str) -> AssetVersion | None:
    """Return the newest of `versions` whose `tag` is `value`."""
    return next((version for version in list_versions(versions) if version.tags.get(tag) == value), None)
