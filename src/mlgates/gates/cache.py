"""What need not be found out again within a day, kept by the content that it is about."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlgates.core.files import sha256_of_json, write_whole

_DAY_S = 24 * 3600.0


class Cache:
    """Keeps JSON objects in `folder`; without a folder it keeps nothing, and everything is found out each time."""

    def __init__(
        self, folder: Path | None = None, *, max_age_s: float = _DAY_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._max_age_s = max_age_s
        self._clock = clock

    def once(self, about: Sequence[str], find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what `find` returned for the same `about` within the last day, else what it returns now.

        `about` names the question and everything that the answer follows from: checksums, versions, settings.
        """
        if self._folder is None:
            return find()
        file = self._folder / f"{sha256_of_json(list(about))}.json"
        kept = self._kept(file)
        if kept is None:
            kept = find()
            write_whole(file, json.dumps({"at": self._clock(), "found": kept}))
        return kept

    def _kept(self, file: Path) -> dict[str, Any] | None:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            fresh = 0 <= self._clock() - document["at"] <= self._max_age_s
            return dict(document["found"]) if fresh else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or cut short: found out again
