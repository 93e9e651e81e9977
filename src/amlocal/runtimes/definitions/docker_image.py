"""What is known of an image while its Dockerfile is read: where its files come from, its variables, its Python."""

import posixpath
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from string import Template

from amlocal.runtimes.definitions.pip_options import NotHonoured
from amlocal.runtimes.recipe import Recipe

_ROOT = PurePosixPath("/")


@dataclass(frozen=True, slots=True)
class DockerImage:
    """An image so far.

    `copies` are pairs of a path in the image and the file or folder of the build context that was copied there.
    `variables` are those of ARG and ENV, `environment` the names of the latter.
    """

    context: Path
    stage: str = ""
    workdir: PurePosixPath = _ROOT
    copies: tuple[tuple[PurePosixPath, Path], ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)

    def with_recipe(self, recipe: Recipe) -> "DockerImage":
        """The image in which `recipe` is installed too."""
        return replace(self, recipe=self.recipe + recipe)

    def with_note(self, note: str) -> "DockerImage":
        """The image about which `note` is to be said in the log."""
        return self.with_recipe(Recipe(notes=(f"Dockerfile: {note}",)))

    def with_copy(self, pattern: str, target: str) -> "DockerImage":
        """The image after `COPY pattern target`, a pattern of the build context."""
        pattern = posixpath.normpath(pattern.lstrip("/"))
        sources = [self.context] if pattern == "." else sorted(self.context.glob(pattern))
        destination = self.path(target)
        copied = [(destination, source) for source in sources]
        # A file is copied to a name or into a folder; which one, only the image knows. Both names find it.
        copied += [(destination / source.name, source) for source in sources if source.is_file()]
        return replace(self, copies=(*self.copies, *copied))

    def expand(self, text: str) -> str:
        """`text` with the variables that are known filled in."""
        return Template(text).safe_substitute(self.variables)

    def path(self, text: str) -> PurePosixPath:
        """An absolute path in the image."""
        return PurePosixPath(posixpath.normpath(self.workdir / text))

    def source(self, text: str) -> Path:
        """The file or folder of the build context that lies at this path of the image. Raises `NotHonoured`."""
        target = self.path(text)
        for destination, source in reversed(self.copies):
            if target.is_relative_to(destination):
                found = source / target.relative_to(destination)
                if found.exists() and found.resolve().is_relative_to(self.context):
                    return found
        raise NotHonoured(f"{text} is not copied from the build context")
