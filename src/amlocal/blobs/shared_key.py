"""Shared Key authorization: which text a request signs.

Source: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key (2009-09-19 and later).
"""

from collections.abc import Mapping

from amlocal.blobs.request import Request

_STANDARD = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def text_to_sign(request: Request, account: str) -> str:
    """Return the text. `account` is the name in the Authorization header: the path carries it once more here."""
    standard = "\n".join(_standard(request.headers))
    special = "".join(f"{name}:{request.headers[name]}\n" for name in _special(request.headers))
    query = "".join(f"\n{name.lower()}:{value}" for name, value in sorted(request.query.items()) if name)
    return f"{request.method}\n{standard}\n{special}/{account}{request.raw_path}{query}"


def _standard(headers: Mapping[str, str]) -> list[str]:
    values = {name: headers.get(name, "") for name in _STANDARD}
    if values["content-length"] == "0":
        values["content-length"] = ""
    if "x-ms-date" in headers:
        values["date"] = ""
    return list(values.values())


def _special(headers: Mapping[str, str]) -> list[str]:
    return sorted((name for name in headers if name.startswith("x-ms-")), key=_culture)


def _culture(name: str) -> tuple[str, str]:
    # The service sorts as .NET's invariant culture does: hyphens hardly count, an underscore is less than a digit.
    return name.replace("-", "").replace("_", "!"), name
