"""Who is asking: cookies, bearer tokens, and the proof that a write comes from our own pages."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import quote

from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from core.errors import Denied
from core.web import accounts
from core.web.context import Context
from core.web.i18n import N_
from core.web.request import Request
from core.web.routing import Route

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))


def plain_cookies(request: Request) -> bool:
    """Whether cookies go without Secure: only over http to this very machine; elsewhere TLS stands in front."""
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    return not request.is_secure and host in LOOPBACK


def cookie_name(request: Request, name: str) -> str:
    """`sid` on loopback over http, `__Host-sid` everywhere else."""
    return name if plain_cookies(request) else f"__Host-{name}"


def set_cookie(response: Response, request: Request, name: str, value: str, life: int | None = None) -> None:
    """Set one of our cookies: HttpOnly, SameSite=Lax, Secure unless this is loopback."""
    response.set_cookie(cookie_name(request, name), value, max_age=life, path="/", httponly=True, samesite="Lax",
                        secure=not plain_cookies(request))


def drop_cookie(response: Response, request: Request, name: str) -> None:
    """Make the browser forget one of our cookies."""
    response.delete_cookie(cookie_name(request, name), path="/", httponly=True, samesite="Lax",
                           secure=not plain_cookies(request))


def bearer(request: Request) -> str | None:
    """The token of an Authorization header; a token anywhere else is not looked at."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip()[:500] or None if scheme.lower() == "bearer" else None


def identify(context: Context, route: Route) -> None:
    """Run the first statement of a request; fill in version, epoch, account. Raises Unauthorized, Denied."""
    request = context.request
    token = bearer(request) if route.auth == "token" else None
    session = None if token else request.cookies.get(cookie_name(request, "sid"))
    found = accounts.head(context.connection, session[:200] if session else None, token)
    context.version, context.epoch = found.version, found.epoch
    context.account, context.demo = found.account, found.demo
    if context.account is None and route.auth in ("session", "token", "offline"):
        raise Unauthorized(N_("Sign in first."))
    if found.stale and context.account is not None:
        accounts.seen(context.connection, context.account, token)
    if route.auth == "offline" and request.method not in SAFE:
        check_origin(request)                        # the token that came is not ours: who gets it looks at it
    else:
        _csrf(context, token is not None)


def _csrf(context: Context, by_token: bool) -> None:
    """Know the token that forms of this page carry, and check the one that came; raises Denied."""
    request = context.request
    if by_token:
        return
    if context.account is not None:
        context.csrf = context.account.csrf
    else:
        context.csrf = request.cookies.get(cookie_name(request, "csrf"), "")[:100]
        if not context.csrf and request.method in SAFE:
            context.csrf, context.set_csrf = secrets.token_urlsafe(24), True
    if request.method in SAFE:
        return
    check_origin(request)
    sent = request.headers.get("X-CSRF-Token") or request.form.get("_csrf") or request.form.get("csrf") or ""
    if not context.csrf or not hmac.compare_digest(sent.encode(), context.csrf.encode()):
        raise Denied(N_("This page is too old to be sent. Go back, reload it and try again."))


def check_origin(request: Request) -> None:
    """A write must come from our own pages, as far as the browser says where it comes from; raises Denied."""
    origin = request.headers.get("Origin")
    if origin is None:
        site = request.headers.get("Sec-Fetch-Site")
        if site is None or site in ("same-origin", "none"):
            return
    elif origin.partition("://")[2] == request.host:
        return
    raise Denied(N_("This request comes from another site."))


def sign_in_path(request: Request) -> str:
    """The sign-in page that leads back to where somebody wanted to go."""
    wanted = request.full_path.rstrip("?") if request.query_string else request.path
    return "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"
