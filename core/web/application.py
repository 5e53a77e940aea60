"""A request's journey: route, one statement for who and which version, System, records, handler, answer."""

from __future__ import annotations

import logging
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import (
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Unauthorized,
    UnsupportedMediaType,
)
from werkzeug.wrappers import Response

from core.bm.follow import Late
from core.definition.model import DUTIES
from core.settings import Settings
from core.web import authentication, failures, former, viewer
from core.web.context import Context
from core.web.i18n import LANGUAGES, N_, negotiate, text_of
from core.web.limits import Limits
from core.web.request import Request
from core.web.response import Outside, begin, redirect, secure
from core.web.routing import Route, RouteTable

log = logging.getLogger("tessera.web")
MOST_TEXT = 2_000_000          # of a form, besides its files
ATTEMPTS = 3                # how often a request is carried out that others keep getting in the way of
TURN = 10                   # seconds that a request waits for its turn
PAUSE = 0.03                # seconds before the next attempt, more or less, so that two do not meet again
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Application:
    """The WSGI application of one process; `systems` gives the System of a version (core/bm/follow.py)."""

    def __init__(self, settings: Settings, engine: Engine, systems: Any, routes: Iterable[Route] | None = None) -> None:
        if routes is None:
            from core.web.routes import ROUTES
            routes = ROUTES
        self.settings = settings
        self.engine = engine
        self.systems = systems
        self.routes = RouteTable(routes)
        self.limits = Limits(settings)
        self._turns = BoundedSemaphore(settings.threads)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; nothing but an answer ever leaves this."""
        started = time.monotonic()
        request = Request(environ)
        context = self._context(request)
        response = secure(self._answer(context), context)
        self._log(context, response, started)
        return response(environ, begin(start_response))

    def _context(self, request: Request) -> Context:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        language = negotiate(request.headers.get("Accept-Language"), tuple(LANGUAGES))
        return Context(request, request_id, secrets.token_urlsafe(16), self.settings, self.engine, self.systems,
                       text=text_of(language))

    def _answer(self, context: Context) -> Response:
        try:
            route, arguments = self.routes.match(context.request)
            _limit(context.request, route)
            if route.auth == "none":
                return route.endpoint(context, **arguments)
            self.limits.admit(context, route)
            context.request.receive()
            try:
                with self._turn():
                    response = self._with_database(context, route, arguments)
                return response.fetch() if isinstance(response, Outside) else response
            finally:
                self.limits.count(context, route)
        except Exception as error:
            return self._failed(context, error)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """As many work at once as there are connections for; who only sends or reads slowly is none of them."""
        if not self._turns.acquire(timeout=TURN):
            raise ServiceUnavailable
        try:
            yield
        finally:
            self._turns.release()

    def _with_database(self, context: Context, route: Route, arguments: dict[str, Any]) -> Response:
        """Run a handler, and once more where it lost a race: all it did was in the transaction that was taken back."""
        for attempt in range(1, ATTEMPTS):
            try:
                return self._in_transaction(context, route, arguments)
            except (DBAPIError, Late) as error:
                if route.alone or (isinstance(error, DBAPIError) and not failures.lost_race(error)):
                    raise
            log.info("tried again", extra={"request_id": context.request_id, "attempt": attempt})
            time.sleep(random.uniform(0.5, 1.5) * PAUSE * attempt)  # noqa: S311  # no secret: only not all at once
            context.request.rewind()
        try:
            return self._in_transaction(context, route, arguments)
        except Late:
            raise ServiceUnavailable from None

    def _in_transaction(self, context: Context, route: Route, arguments: dict[str, Any]) -> Response:
        """Run a handler in one transaction; a refused or failed request leaves nothing behind. Raises Late."""
        began = time.monotonic()
        with self.engine.connect() as connection:
            context.connection = connection
            try:
                def identified() -> int:
                    authentication.identify(context, route)
                    return context.version

                with self.systems.request(identified) as system:
                    if system is None:
                        raise ServiceUnavailable
                    context.system = system
                    viewer.introduce(context)
                    if route.right == "administrator":
                        context.require_administrator()
                    elif route.right in DUTIES:
                        context.require(route.right)
                    if not route.alone:
                        response = former.call(context, route.endpoint, arguments)
                        if context.request.method not in ("GET", "HEAD"):
                            self.systems.in_time(connection, context.version, began)
                        _end(connection, response)          # before the version is let go: a promotion waits for that
                if route.alone:
                    connection.commit()
                    response = route.endpoint(context, **arguments)
                    _end(connection, response)
            except BaseException:
                connection.rollback()
                raise
        if context.set_csrf:
            authentication.set_cookie(response, context.request, "csrf", context.csrf)
        return response

    def _failed(self, context: Context, error: Exception) -> Response:
        if isinstance(error, Unauthorized) and _is_page(context):
            return redirect(authentication.sign_in_path(context.request))
        try:
            response = failures.answer(context, error)
        except Exception:
            log.exception("the page about a failure failed", extra={"request_id": context.request_id})
            response = Response("", status=500)
        if response.status_code >= 500 and not isinstance(error, HTTPException):
            log.error("request failed", exc_info=error, extra={"request_id": context.request_id})
        return response

    def _log(self, context: Context, response: Response, started: float) -> None:
        if context.request.path.startswith("/static/"):
            return
        account = context.account
        log.info("request", extra={
            "request_id": context.request_id, "method": context.request.method, "path": context.request.path[:200],
            "status": response.status_code, "user": account.user_id if account else None,
            "version": context.version, "ms": round((time.monotonic() - started) * 1000, 1)})


def _end(connection: Connection, response: Response) -> None:
    """A refused or failed request leaves nothing behind."""
    if response.status_code < 400:
        connection.commit()
    else:
        connection.rollback()


def _limit(request: Request, route: Route) -> None:
    """Refuse a body that is packed or too large before a byte of it is read; only files may be large in forms."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise UnsupportedMediaType(N_("A compressed body is not taken."))
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        raise LengthRequired
    request.max_form_memory_size = min(route.body, MOST_TEXT)
    plain = request.mimetype == "application/x-www-form-urlencoded"
    request.max_content_length = request.max_form_memory_size if plain else route.body
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge


def _is_page(context: Context) -> bool:
    return context.request.method == "GET" and not context.request.htmx and not failures.wants_json(context)
