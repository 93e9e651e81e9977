"""The placeholders of a command: `${{inputs.x}}` and `${{outputs.y}}`."""

import re
from collections.abc import Mapping

from amlocal.jobs.failure import JobFailure

_PLACEHOLDER = re.compile(r"\$\{\{\s*(?P<group>inputs|outputs)\.(?P<name>[^\s{}]+?)\s*\}\}")
# `$[[ ... ]]` holds what goes away when an optional input in it was not given.
_OPTIONAL = re.compile(r"\$\[\[(?P<text>.*?)\]\]", re.DOTALL)


def substitute(command: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    """Return the command with every placeholder replaced. Raises `JobFailure` for a name that the job does not have.

    Values go in as they are: quoting is the command's business, as in Azure ML.
    """
    values = {"inputs": inputs, "outputs": outputs}

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

    return _PLACEHOLDER.sub(value, _OPTIONAL.sub(optional, command))
