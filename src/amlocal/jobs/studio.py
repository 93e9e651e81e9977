"""The link that every job carries: in Azure it leads to the studio, here to the job's run on MLflow's pages."""

import re

from amlocal.core.errors import NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.tracking.layout import PREFIX

_JOB = re.compile(r"[A-Za-z0-9_-]{1,255}")
# As in the pages' own welcome, a script moves on rather than a redirect: wherever the link was, the browser then sends
# the cookie that lets its user in, which is a strict one.
_PAGE = (
    '<!doctype html><title>MLflow</title><script>location.replace("{target}")</script><a href="{target}">MLflow</a>\n'
)


def studio_routes() -> list[Route]:
    """Return the route of the link.

    It is open, since a browser brings no token, and tells nothing, not even whether there is such a job: MLflow's pages
    check who asks.
    """
    return [Route("GET", "/runs/{job}", _show, auth="open", streaming=True)]


def _show(call: Call) -> Reply:
    job = call.path["job"]
    if not _JOB.fullmatch(job):
        raise NotFound(f"{job!r} is not the name of a job.")
    page = _PAGE.format(target=f"{PREFIX}/#/runs/{job}")
    return Reply(200, page.encode(), {"Referrer-Policy": "no-referrer"}, media_type="text/html; charset=utf-8")
