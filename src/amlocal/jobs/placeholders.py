"""The placeholders of a command: `${{inputs.x}}` and `${{outputs.y}}`."""

import re
from collections.abc import Container, Mapping

from amlocal.jobs.failure import JobFailure
from amlocal.jobs.shell_quoting import quoted, quotes_around

_PLACEHOLDER = re.compile(r"\$\{\{\s*(?P<group>inputs|outputs)\.(?P<name>[^\s{}]+?)\s*\}\}")
# `$[[ ... ]]` holds what goes away when an optional input in it was not given.
_OPTIONAL = re.compile(r"\$\[\[(?P<text>.*?)\]\]", re.DOTALL)


def substitute(
    command: str, inputs: Mapping[str, str], outputs: Mapping[str, str], *, literals: Container[str] | None = None
) -> str:
    """Return the command with every placeholder replaced. Raises `JobFailure` for a name that the job does not have.

    The inputs that are `literals` (by default all values are) go in as they are: quoting is the command's business, as
    in Azure ML. Paths are quoted where a shell would take them apart: on Azure no folder above them has a blank.
    """
    values = {"inputs": inputs, "outputs": outputs}
    pieces: list[str] = []

    def optional(found: re.Match[str]) -> str:
        text = found["text"]
        given = all(item["name"] in values[item["group"]] for item in _PLACEHOLDER.finditer(text))
        return text if given else ""

    def value(found: re.Match[str]) -> str:
        group, name = found["group"], found["name"]
        if name not in values[group]:
            known = ", ".join(values[group]) or "none"
            raise JobFailure(f"The command names ${{{{{group}.{name}}}}}, but the job's {group} are: {known}.")
        return values[group][name]

    wanted, end = _OPTIONAL.sub(optional, command), 0
    for found in _PLACEHOLDER.finditer(wanted):
        pieces.append(wanted[end : found.start()])
        put = value(found)
        if literals is not None and not (found["group"] == "inputs" and found["name"] in literals):
            put = quoted(put, quotes_around("".join(pieces)))
        pieces.append(put)
        end = found.end()
    return "".join([*pieces, wanted[end:]])
