"""Which files a job left: those that are its own, wherever its links point."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class OwnFiles:
    """The files below `folder`, or `folder` itself when it is a file, as far as they really are below `root`.

    Links are followed as long as they stay below `root`, a job's folder: a link to anything else of this machine is
    not content that the job made. Those left out are in `strangers` once all files were gone through. Sockets, pipes
    and links to nowhere are left out too.
    """

    folder: Path
    root: Path
    strangers: list[Path] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, Path]]:
        """Yield each file's path relative to `folder`, slashes between ("." for `folder` itself), and its place."""
        for path in self._below(self.folder, ()):
            yield path.relative_to(self.folder).as_posix(), path

    def _below(self, path: Path, above: tuple[Path, ...]) -> Iterator[Path]:
        if not path.exists():
            return
        real = path.resolve()
        if not real.is_relative_to(self.root.resolve()):
            self.strangers.append(path)
        elif path.is_dir() and real not in above:
            for entry in sorted(path.iterdir()):
                yield from self._below(entry, (*above, real))
        elif path.is_file():
            yield path
