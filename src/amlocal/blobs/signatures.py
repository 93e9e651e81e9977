"""Which text a client signs, and what its signature then allows: shared access signatures and Shared Key.

Sources: learn.microsoft.com/rest/api/storageservices/create-service-sas, create-account-sas and
authorize-with-shared-key (2009-09-19 and later), held against what azure-storage-blob signs. User delegation signatures
and stored access policies do not exist here.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from amlocal.blobs.requests import BlobRequest
from amlocal.blobs.values import AuthenticationFailed

VERSION = "2023-11-03"  # of the signatures made here
_OLDEST = "2018-11-09"  # the first with `sr` in the signed text
_WITH_SCOPE = "2020-12-06"  # the first with the encryption scope, `ses`
_OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
_FOREIGN = {"skoid": "user delegation", "si": "stored access policies", "sdd": "directories"}

Fields = Mapping[str, str]
_STANDARD_HEADERS = (
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


def sign(key: str, text: str) -> str:
    """Return the base64 HMAC-SHA256 of `text` under the base64 `key`."""
    return base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()


def matches(key: str, texts: Iterable[str], signature: str) -> bool:
    """Return whether `signature` signs one of `texts`, in a time that tells nothing of how nearly it does."""
    return any(hmac.compare_digest(sign(key, text).encode(), signature.encode()) for text in texts)


def resource(account: str, container: str, blob: str = "") -> str:
    """Return how a signature names a container or a blob."""
    return f"/blob/{account}/{container}/{blob}" if blob else f"/blob/{account}/{container}"


def service_text(fields: Fields, canonical: str) -> str:
    """Return the text that a service SAS signs, for the version it states."""
    scope = ["ses"] if fields.get("sv", "") >= _WITH_SCOPE else []
    snapshot = ""
    first = [*_values(fields, "sp", "st", "se"), canonical, *_values(fields, "si", "sip", "spr", "sv", "sr")]
    return "\n".join([*first, snapshot, *_values(fields, *scope, *_OVERRIDES)])


def account_text(fields: Fields, account: str) -> str:
    """Return the text that an account SAS signs, for the version it states."""
    scope = ["ses"] if fields.get("sv", "") >= _WITH_SCOPE else []
    return "\n".join([account, *_values(fields, "sp", "ss", "srt", "st", "se", "sip", "spr", "sv", *scope), ""])


def check_fields(fields: Fields) -> None:
    """Raise `AuthenticationFailed` for a kind of signature that is not served here."""
    if fields.get("sv", "") < _OLDEST:
        raise AuthenticationFailed(f"signatures are checked from version {_OLDEST} on, this one is {fields.get('sv')}.")
    for field, kind in _FOREIGN.items():
        if field in fields:
            raise AuthenticationFailed(f"the SAS uses {kind} ({field}), which the local storage does not have.")


def check_times(fields: Fields, now: datetime) -> None:
    """Raise `AuthenticationFailed` outside the signature's time frame."""
    if "st" in fields and now < _moment(fields["st"]):
        raise AuthenticationFailed(f"the SAS is valid from {fields['st']} on, now it is {now:%Y-%m-%dT%H:%M:%SZ}.")
    if now >= _moment(fields.get("se", "")):
        raise AuthenticationFailed(
            f"the SAS expired at {fields['se']}, now it is {now:%Y-%m-%dT%H:%M:%SZ}. Ask for a new one."
        )


def service_sas(
    key: str, canonical: str, *, kind: str, permissions: str, expires: datetime, starts: datetime | None
) -> str:
    """Return a service SAS (no question mark) for a container (`kind` c) or a blob (b)."""
    fields = {"sv": VERSION, "sr": kind, "sp": permissions, "se": _stamp(expires)}
    if starts is not None:
        fields["st"] = _stamp(starts)
    fields["sig"] = sign(key, service_text(fields, canonical))
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


def _values(fields: Fields, *names: str) -> list[str]:
    return [fields.get(name, "") for name in names]


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise AuthenticationFailed(f"the SAS states the time {text!r}, which is none.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def text_to_sign(request: BlobRequest, account: str) -> str:
    """Return the text. `account` is the name in the Authorization header: the path carries it once more here."""
    standard = "\n".join(_standard_values(request.headers))
    special = "".join(f"{name}:{request.headers[name]}\n" for name in _special(request.headers))
    query = "".join(f"\n{name.lower()}:{value}" for name, value in sorted(request.query.items()) if name)
    return f"{request.method}\n{standard}\n{special}/{account}{request.raw_path}{query}"


def _standard_values(headers: Mapping[str, str]) -> list[str]:
    values = {name: headers.get(name, "") for name in _STANDARD_HEADERS}
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
