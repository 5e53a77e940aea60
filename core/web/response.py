"""Answers: security headers on each, redirects, and files that no browser will run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.web.context import Context

HEADERS = (                             # of every answer, whatever its handler says
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)


class Outside(Response):
    """An answer that others give: it is fetched when the request holds no turn and no connection any more."""

    def __init__(self, fetch: Callable[[], Response]) -> None:
        super().__init__()
        self.fetch = fetch


def policy(nonce: str) -> str:
    """The content security policy of pages: our scripts by nonce, no inline handler, no eval, no frame."""
    return ("default-src 'none'; "
            f"script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
            "object-src 'none'; frame-ancestors 'none'")


def secure(response: Response, context: Context) -> Response:
    """Put the headers on that answers have beside HEADERS; a handler's own policy stays."""
    response.headers.setdefault("Content-Security-Policy", policy(context.nonce))
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = context.request_id
    if context.left is not None and context.request.path.startswith("/api/"):
        response.headers.update(context.left.headers)
    return response


def begin(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Begin an answer as the server does, with HEADERS after its own."""
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, *HEADERS], *rest)
    return start


def page(body: str | Markup, status: int = 200) -> Response:
    """An HTML answer."""
    return Response(str(body), status=status, content_type="text/html; charset=utf-8")


def redirect(location: str) -> Response:
    """Go there with GET; only ever called with our own paths."""
    return Response("", status=303, headers={"Location": location})


def picture(data: bytes | Iterable[bytes], kind: str, size: int) -> Response:
    """A stored picture that pages show: its type is the one that its bytes have, and it can do nothing."""
    response = Response(data, content_type=kind, direct_passthrough=False)
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Content-Length"] = str(size)
    return response


def download(data: bytes | Iterable[bytes], name: str, size: int | None = None) -> Response:
    """A stored file: never shown inside our site, never run, its name a label only (RFC 6266)."""
    label = "".join(c for c in name if c.isprintable() and c not in '\\/"') or "file"
    plain = "".join(c if c.isascii() else "_" for c in label)
    response = Response(data, content_type="application/octet-stream", direct_passthrough=False)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(label)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    if size is not None:
        response.headers["Content-Length"] = str(size)
    return response
