"""How a person's browser gets in: a link with a token, kept in a cookie from then on.

Loopback is no wall: any page of any other program on this machine can send the browser here. So the pages ask for
the workspace's token like everything else, and with the cookie only take writes that come from themselves.
"""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from amlocal.core.errors import ApiError, Unauthorized
from amlocal.core.http import Call, Reply
from amlocal.tracking.protocol import PREFIX

# A token -> the job that it is of, None for one that opens all. Raises `Unauthorized`.
CheckToken = Callable[[str], str | None]
# A script moves on rather than a redirect: it keeps the part behind # (the page within MLflow), and the browser sends
# a strict cookie with it even when the link was on another site.
_SESSION_PAGE = b'<!doctype html><title>MLflow</title><script>location.replace("./" + location.hash)</script>\n'


def browser_link(origin: str, token: str, page: str = "") -> str:
    """Return the URL that opens MLflow's pages in a browser; `page` is what follows the # (`/experiments/1`)."""
    return f"{origin}{PREFIX}/?token={quote(token, safe='')}" + (f"#{page}" if page else "")


def start_session(token: str, host: str) -> Reply:
    """Return the answer to a link whose token was found good: keep it, go to the page without it."""
    cookie = f"{_cookie_name(host)}={token}; Path={PREFIX}; HttpOnly; Secure; SameSite=Strict"
    headers = {"Set-Cookie": cookie, "Referrer-Policy": "no-referrer"}
    return Reply(200, _SESSION_PAGE, headers, media_type="text/html; charset=utf-8")


def check_program(call: Call, check: CheckToken) -> str | None:
    """Return what `check` does with the token that the call brings as MLflow's client does (MLFLOW_TRACKING_TOKEN).

    Raises `Unauthorized`.
    """
    token = _bearer(call)
    if token is None:
        raise Unauthorized(
            "No access token. Set MLFLOW_TRACKING_TOKEN to one of this workspace's, as its jobs have it."
        )
    return check(token)


def check_browser(call: Call, check: CheckToken) -> str | None:
    """Return what `check` does with the token in header or cookie. Raises `Unauthorized`, 403 for another's page."""
    token, host = _bearer(call), call.headers.get("host", "")
    if token is None:
        origin = call.headers.get("origin")
        if origin is not None and _host(origin) != host:
            raise ApiError(403, f"A page of {origin} may not use this workspace.")
        token = _kept_token(call.headers.get("cookie", ""), host)
    return check(token)


def _host(origin: str) -> str | None:
    """Return host and port of an origin, None for what is none (`null`, half an address)."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _bearer(call: Call) -> str | None:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _kept_token(header: str, host: str) -> str:
    # By hand: the standard parser gives up on the whole header at a name of some other program's that it dislikes.
    pairs = dict(pair.strip().partition("=")[::2] for pair in header.split(";"))
    if (token := pairs.get(_cookie_name(host))) is None:
        raise Unauthorized("No access token. Open MLflow's pages by a link that carries one: .../mlflow/?token=TOKEN.")
    return token


def _cookie_name(host: str) -> str:
    """Return a name of its own for each port: a browser sends a host's cookies to all of its ports."""
    return f"amlocal-{host.rpartition(':')[2]}"
