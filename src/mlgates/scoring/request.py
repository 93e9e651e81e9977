"""One call of a scorer, as a value that can be sent, shown and repeated."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

JSON_HEADERS: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a scorer, byte for byte."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_HEADERS)

    def curl(self, url: str = "$SCORING_URI") -> str:
        """Return the line that repeats the request; the key is left to the variable `KEY`."""
        lines = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        # Bytes that are no text cannot stand in a shell line, so printf writes those.
        text = self.body.decode("utf-8", "backslashreplace")
        if text.encode() == self.body and "\0" not in text:
            return f'curl {url} -H "Authorization: Bearer $KEY" {" ".join(lines)} --data-binary {shlex.quote(text)}'
        octal = "".join(f"\\{byte:03o}" for byte in self.body)
        return f"printf '{octal}' | curl {url} -H \"Authorization: Bearer $KEY\" {' '.join(lines)} --data-binary @-"
