"""What an environment asks of Python, whichever file said it: the one vocabulary between definition and build."""

from dataclasses import dataclass

from packaging.specifiers import SpecifierSet


@dataclass(frozen=True, slots=True)
class Recipe:
    """Requirements in pip's language. Two recipes add up to one that asks for both.

    `python`: versions that will do; None when nothing was said.
    `requirements`: PEP 508 requirements, URLs, or absolute paths of folders and archives; a `--hash` may follow.
    `constraints`: PEP 508 requirements that bind only what is installed anyway.
    `options`: lines of a requirements file about where packages come from, in order.
    `flags`: arguments of `uv pip install` that have no place in a requirements file.
    `notes`: what the definition says and this machine does not do, a line each, for the log.
    """

    python: SpecifierSet | None = None
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Recipe") -> "Recipe":
        return Recipe(
            python=other.python if self.python is None else self.python & (other.python or SpecifierSet()),
            requirements=self.requirements + other.requirements,
            constraints=self.constraints + other.constraints,
            options=self.options + other.options,
            flags=self.flags + other.flags,
            notes=self.notes + other.notes,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked, neither a Python nor a package."""
        return self.python is None and not self.requirements
