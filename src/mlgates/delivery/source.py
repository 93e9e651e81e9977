"""Which source a run is started from: asked of git, or told by the build that has no checkout."""

import re
from collections.abc import Mapping
from pathlib import Path

from mlgates.core.checkout import Checkout
from mlgates.core.errors import NoCheckout, SourceUnknown
from mlgates.core.values import UNKNOWN, SourceState

# The names that azure-ai-ml itself reads for the run's own git properties.
_COMMIT, _DIRTY = "AZUREML_GIT_COMMIT", "AZUREML_GIT_DIRTY"
_HEXADECIMAL = re.compile(r"[0-9a-f]{3,64}")


def source_state(root: Path, environ: Mapping[str, str]) -> SourceState:
    """Return the state of the checkout at `root`; without one, what `AZUREML_GIT_COMMIT` and `AZUREML_GIT_DIRTY` tell.

    Raises `NoCheckout` when neither is there; `SourceUnknown` with git's own reason when git does not tell, and when
    the variable tells of another commit than git, or of none.
    """
    told = _told(environ)
    try:
        checkout = Checkout.of(root)
    except NoCheckout:
        if told is None:
            raise
        return told
    if told and told.commit != checkout.commit:
        raise SourceUnknown(
            f"{_COMMIT} tells of commit {told.commit[:12]}, and {root} is at {checkout.commit[:12]}: unset it"
        )
    changes = tuple(checkout.changes())
    return SourceState(checkout.commit, dirty=bool(changes) or bool(told and told.dirty), changes=changes)


def source_or_unknown(root: Path, environ: Mapping[str, str]) -> SourceState:
    """Return the state as `source_state` does, `unknown` outside of any checkout.

    For what decides nothing: a model that is trained there says of itself that its commit is unknown.
    """
    try:
        return source_state(root, environ)
    except NoCheckout:
        return SourceState(UNKNOWN, dirty=False)


def _told(environ: Mapping[str, str]) -> SourceState | None:
    commit = environ.get(_COMMIT, "").strip().lower()
    if not commit:
        return None
    if not _HEXADECIMAL.fullmatch(commit):
        raise SourceUnknown(f"{_COMMIT} is '{commit}', which is no commit: unset it, or give the full name of one")
    return SourceState(commit, dirty=environ.get(_DIRTY, "").strip().lower() in {"1", "true"})
