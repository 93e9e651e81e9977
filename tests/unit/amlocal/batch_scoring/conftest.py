import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from amlocal.batch_scoring.batch_job import BatchPaths, BatchSettings
from amlocal.batch_scoring.driver import score
from amlocal.batch_scoring.worker_pool import BatchOutcome
from tests.unit.amlocal.batch_scoring.workers import PLAIN, threads

NAMES = """
import os
def init(): pass
def run(mini_batch):
    return [os.path.basename(file) for file in mini_batch]
"""


@dataclass
class Job:
    """A batch job in a folder: its paths, its files by name and content, and its settings."""

    folder: Path
    settings: BatchSettings = PLAIN
    files: dict[str, str] = field(default_factory=lambda: {name: name for name in "12345"})

    @property
    def paths(self) -> BatchPaths:
        return BatchPaths(self.folder / "models" / "model", self.folder / "data", self.folder / "out" / "score")

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def lay_out(self, content: str, **settings: object) -> BatchSettings:
        """Make the folders, and a script of this content; return the settings with those that are given."""
        for place in (self.work, self.paths.data, self.paths.model, self.paths.output):
            place.mkdir(parents=True, exist_ok=True)
        for name, text in self.files.items():
            file = self.paths.data / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.work / "score.py").write_text(content)
        return replace(self.settings, **{"script": str(self.work / "score.py")} | settings)  # type: ignore[arg-type]

    def score(self, content: str, **settings: object) -> BatchOutcome:
        """Run the job in this process, its workers in threads. Raises `ScoringError`."""
        chosen = self.lay_out(content, **settings)
        return score(chosen, self.paths, start=threads(chosen, self.paths))

    @property
    def lines(self) -> list[str]:
        return (self.paths.output / "predictions.csv").read_text().splitlines()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back what a scoring script and its driver change in their process."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("AZUREML_MODEL_DIR", "AZUREML_BI_OUTPUT_PATH"):
        monkeypatch.setitem(os.environ, name, "")
    yield
    sys.modules.pop("score", None)
