"""A request as it goes over the wire, and as a line for a shell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, to the byte but for its framing; `route` is the pattern that it comes from."""

    route: str
    method: str
    target: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    origin: str = ""  # which requests it came with: what repeats them

    @property
    def mlflow(self) -> bool:
        """Whether MLflow's process may have to answer."""
        return self.route.startswith("/mlflow")

    def content(self) -> bytes:
        """Return the bytes of the request."""
        lines = [self.method.encode() + b" " + self.target + b" HTTP/1.1"]
        if all(name != "host" for name, _ in self.headers):
            lines.append(b"Host: 127.0.0.1")
        lines += [name.encode() + b": " + value for name, value in self.headers]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(self.body), b"", self.body])

    def curl(self, server: str) -> str:
        """Return the request as a line for a shell; `$TOKEN` is what the workspace's identity endpoint gives."""
        headers = " ".join(f"-H {_shown(name, value)}" for name, value in self.headers)
        body = f" --data-binary {_shell(self.body)}" if self.body else ""
        target = _shell(server.encode() + self.target)
        return f"curl -ksi --path-as-is -g -X {self.method} {headers}{body} {target}"


def _shown(name: str, value: bytes) -> str:
    if value.startswith(b"Bearer ey") and value.count(b".") == 2 and len(value) > 200:
        return f'"{name}: Bearer $TOKEN"'
    return _shell(name.encode() + b": " + value)


def _shell(text: bytes) -> str:
    escaped = "".join(chr(byte) if 32 <= byte < 127 and byte not in (39, 92) else f"\\x{byte:02x}" for byte in text)
    return f"$'{escaped}'"
