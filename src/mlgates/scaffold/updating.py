"""A made project brought to the template of the mlgates that runs."""

import tempfile
from importlib.metadata import version
from pathlib import Path

from mlgates.scaffold import repository
from mlgates.scaffold.rendering import read_answers, render


def update(root: Path) -> str | None:
    """Merge the newer template; return what was done in one line, None when there is nothing new."""
    answers = read_answers(root)
    with tempfile.TemporaryDirectory() as scratch:
        rendered = Path(scratch) / "project"
        render(answers, rendered)
        merged = repository.merge_template(root, rendered, version("mlgates"))
    return f"merged the template of mlgates {version('mlgates')}: see 'git show --stat'" if merged is not None else None
