"""The way into the offline system: what comes for /offline/ goes on to it, and its answers come back.

Nothing of live goes along: of the cookies only those that the offline system set, under names and a path of their own;
of the headers none that speaks of the connection or of who stands before us.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import IO, Any, cast
from urllib.parse import quote

from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response

from core.database.offline import FOLDER
from core.settings import Settings
from core.web import response as answers
from core.web.context import Context
from core.web.i18n import N_
from core.web.offline_prefix import PREFIX
from core.web.offline_socket import Wire
from core.web.offline_standing import STANDING, Standing, from_json
from core.web.request import Request
from core.web.response import Outside, redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render

log = logging.getLogger("tessera.offline")
PATIENCE = 60.0                 # seconds that the offline system has for an answer; it waits for files for 20 itself
GLANCE = 3.0                    # the same, where a page of live only wants to know how it is
LARGEST = 60_000_000            # bytes of a request: as much as any page takes; the page itself looks again
PIECE = 65_536
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OURS, OURS_SECURE = "offline-", "__Secure-offline-"
_HOPS = frozenset(("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
                   "trailer", "transfer-encoding", "upgrade"))
# Written anew, or known to us only.
_REPLACED = frozenset(("host", "cookie", "content-length", "expect", "forwarded", "x-real-ip", "x-request-id"))


def pass_on(context: Context, rest: str = "") -> Response:
    """Hand a request to the offline system, and its answer back. Raises NotFound where there is none."""
    _require(context)
    context.session = None  # type: ignore[assignment]  # a page that says why there is no answer is drawn without it
    return Outside(lambda: _fetch(context))


def enter(context: Context) -> Response:
    """/offline is /offline/."""
    _require(context)
    return redirect(f"{PREFIX}/")


def show(context: Context) -> Response:
    """How the offline system is, the way to it, and starting over."""
    _require(context)
    return _page(context, standing(context.settings))


def start_over(context: Context) -> Response:
    """Throw the records of the offline system away and make it anew from the files."""
    _require(context)
    try:
        _ask(context.settings, "POST", "/control/fresh")
    except (OSError, HTTPException):
        return _page(context, Standing("silent"), 503)
    return redirect(f"{PREFIX}/")


def standing(settings: Settings) -> Standing:
    """Ask the offline system how it is; asking starts it."""
    try:
        return from_json(_ask(settings, "GET", "/control/standing"))
    except (OSError, HTTPException, ValueError):
        return Standing("silent")


def _require(context: Context) -> None:
    if not context.settings.offline:
        raise NotFound(N_("This server has no offline system: it was started with --no-offline."))


def _page(context: Context, found: Standing, status: int = 200) -> Response:
    crumbs = (Crumb(context.text("Administration"), "/admin"), Crumb(context.text("Offline system"), "/admin/offline"))
    return render(context, "offline.html", Frame(crumbs[-1].title, crumbs, "/admin"), status, standing=found)


def _ask(settings: Settings, method: str, path: str) -> Any:
    wire = Wire(settings.home / FOLDER, GLANCE)
    try:
        wire.request(method, path)
        return json.loads(wire.getresponse().read())
    finally:
        wire.close()


def _fetch(context: Context) -> Response:
    try:
        wire, answer = _answered(context)
    except (OSError, HTTPException) as error:
        log.warning("the offline system does not answer: %r", error, extra={"request_id": context.request_id})
        return _absent(context, Standing("silent"))
    if answer.getheader(STANDING) is not None:
        found = from_json(json.loads(answer.read()))
        wire.close()
        return _absent(context, found)
    return Response(_pieces(wire, answer), status=answer.status, headers=Headers(_outwards(answer.getheaders())),
                    direct_passthrough=True)


def _answered(context: Context) -> tuple[Wire, HTTPResponse]:
    """Send the request; once more where the offline system ended before it began to answer what changes nothing."""
    request = context.request
    try:
        return _send(context)
    except (ConnectionError, HTTPException):
        if request.method not in ("GET", "HEAD"):
            raise
    time.sleep(0.2)
    return _send(context)


def _send(context: Context) -> tuple[Wire, HTTPResponse]:
    request = context.request
    wire = Wire(context.settings.home / FOLDER, PATIENCE)
    try:
        wire.putrequest(request.method, _target(request), skip_host=True, skip_accept_encoding=True)
        for name, value in _inwards(request, context.request_id):
            wire.putheader(name, value)
        wire.endheaders()
        if request.content_length:
            wire.send(cast("IO[bytes]", request.environ["wsgi.input"]))
        return wire, wire.getresponse()
    except BaseException:
        wire.close()
        raise


def _target(request: Request) -> str:
    """The address as it came; percent signs are lost on the way to us, and put back."""
    path = quote(request.environ.get("PATH_INFO", "").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = quote(request.environ.get("QUERY_STRING", "").encode("latin-1"), safe="%/?:@!$&'()*+,;=~-._[]|^`{}")
    return f"{path}?{query}" if query else path


def _inwards(request: Request, request_id: str) -> Iterator[tuple[str, str]]:
    named = _named(request.headers.get("Connection", ""))
    for name, value in request.headers.items():
        low = name.lower()
        if low not in _HOPS | _REPLACED | named and not low.startswith("x-forwarded-"):
            yield name, value
    yield "Host", request.host
    yield "Connection", "close"
    yield "X-Request-Id", request_id
    yield "X-Forwarded-For", request.remote_addr or ""
    yield "X-Forwarded-Proto", request.scheme
    yield "X-Forwarded-Host", request.host
    if request.content_length is not None:
        yield "Content-Length", str(request.content_length)
    cookies = "; ".join(f"{name}={value}" for name, value in _own_cookies(request))
    if cookies:
        yield "Cookie", cookies


def _own_cookies(request: Request) -> Iterator[tuple[str, str]]:
    """The cookies that the offline system set, under the names that it gave them."""
    for name, value in parse_cookie(request.environ.get("HTTP_COOKIE", "")).items():
        if name.startswith(OURS_SECURE):
            yield "__Host-" + name.removeprefix(OURS_SECURE), value
        elif name.startswith(OURS):
            yield name.removeprefix(OURS), value


def _outwards(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    named = _named(", ".join(value for name, value in headers if name.lower() == "connection"))
    added = {name.lower() for name, _ in answers.HEADERS} | {"server", "date"}
    for name, value in headers:
        low = name.lower()
        if low == "set-cookie":
            yield name, _renamed(value)
        elif low not in _HOPS | named | added:
            yield name, value


def _renamed(cookie: str) -> str:
    """A cookie of the offline system under a name of its own, for its own pages only."""
    pair, _, rest = cookie.partition(";")
    name, _, value = pair.strip().partition("=")
    secure = name.startswith("__Host-")
    prefix = OURS_SECURE if secure else OURS
    kept = [part.strip() for part in rest.split(";") if part.strip() and not part.strip().lower().startswith("path=")]
    return "; ".join([f"{prefix}{name.removeprefix('__Host-')}={value}", *kept, f"Path={PREFIX}/"])


def _named(connection: str) -> frozenset[str]:
    """The headers that a Connection header names: they are of that connection too."""
    return frozenset(part.strip().lower() for part in connection.split(",") if part.strip())


def _pieces(wire: Wire, answer: HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := answer.read(PIECE):
            yield piece
    finally:
        wire.close()


def _absent(context: Context, found: Standing) -> Response:
    """The page that says why there is none; while the offline system starts it looks again by itself."""
    response = render(context, "offline_wait.html", Frame(context.text("Offline system")), 503, standing=found,
                      again=context.request.full_path.rstrip("?") if context.request.method == "GET" else f"{PREFIX}/")
    response.headers["Retry-After"] = "2"
    if found.phase == "starting" and context.request.method == "GET":
        response.headers["Refresh"] = "1"
    return response


ROUTES = (
    Route(PREFIX, ("GET",), enter, "session", "customise"),
    Route(f"{PREFIX}/", METHODS, pass_on, "offline", "customise", LARGEST),
    Route(f"{PREFIX}/<path:rest>", METHODS, pass_on, "offline", "customise", LARGEST),
    Route("/admin/offline", ("GET",), show, "session", "customise"),
    Route("/admin/offline/fresh", ("POST",), start_over, "session", "customise"),
)
