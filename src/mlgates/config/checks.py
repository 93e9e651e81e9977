"""What a configured value must look like; each check answers with the complaint, or None."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TypeAlias

Check: TypeAlias = Callable[[str], str | None]

# Azure ML: assets and experiments 1 to 255 characters; endpoints 3 to 32, and '-<environment>' is added to ours.
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_ENDPOINT = re.compile(r"[a-z][a-z0-9-]{1,25}")
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_GROUP = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def matching(pattern: re.Pattern[str], rule: str) -> Check:
    """Return a check that wants the whole value to match `pattern`, told as `rule`."""
    return lambda value: None if pattern.fullmatch(value) else f"must be {rule}"


def one_of(*choices: str) -> Check:
    """Return a check for a closed set of words."""
    return lambda value: None if value in choices else f"must be one of {', '.join(choices)}"


def relative_path(value: str) -> str | None:
    """Want a path inside the project, with forward slashes."""
    path = PurePosixPath(value)
    inside = value.strip() and not path.is_absolute() and ".." not in path.parts and "\\" not in value
    return None if inside else "must be a relative path with forward slashes and without '..'"


asset_name = matching(_ASSET, "letters, digits, '-', '_' or '.', at most 255 characters")
endpoint_name = matching(_ENDPOINT, "2 to 26 lower-case letters, digits or '-', a letter first")
workspace_name = matching(_WORKSPACE, "3 to 33 letters, digits, '-' or '_'")
resource_group = matching(_GROUP, "1 to 90 letters, digits, '-', '_', '.' or brackets, no '.' at the end")
milliseconds = matching(re.compile(r"[1-9][0-9]{0,5}"), "a whole number of milliseconds from 1 to 999999")
guid_or_empty = matching(re.compile(f"({_GUID.pattern})?"), "a GUID, or empty while there is no subscription")
