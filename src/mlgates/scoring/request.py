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
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers.items()]
        arguments = " ".join([url, *headers])
        # Bytes that are no text cannot stand in a shell line, so printf writes those.
        text = self.body.decode("utf-8", "backslashreplace")
        if text.encode() == self.body and "\0" not in text:
            return curl_line(f"{arguments} --data-binary {shlex.quote(text)}")
        octal = "".join(f"\\{byte:03o}" for byte in self.body)
        return curl_line(arguments, body=f"printf '{octal}'")


def curl_line(arguments: str, key: str = "$KEY", *, body: str = "") -> str:
    """Return the line, for any shell, that calls an endpoint with curl; the shell expands `key`, and writes `body`.

    The key goes to curl by a pipe: what is on a command line, everybody on the machine can see.
    """
    given = f'printf \'header = "Authorization: Bearer %s"\\n\' "{key}"'
    if body:
        return f"{given} | {{ {body} | curl --config /dev/fd/3 {arguments} --data-binary @-; }} 3<&0"
    return f"{given} | curl --config - {arguments}"
