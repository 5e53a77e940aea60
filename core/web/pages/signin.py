"""Signing in and out, and the one-time link by which the first administrator chooses a password."""

from __future__ import annotations

import json
import logging

from werkzeug.wrappers import Response

from core.errors import Invalid, NotFound
from core.web import accounts
from core.web.authentication import drop_cookie, set_cookie
from core.web.context import Context
from core.web.i18n import N_
from core.web.request import local_path, once
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Frame, render

log = logging.getLogger("tessera.login")


def show(context: Context) -> Response:
    """The sign-in page; those who are signed in go on to where they wanted."""
    target = local_path(context.request.args.get("next"))
    if context.account is not None:
        return redirect(target)
    return _draw(context, "", target, "")


def enter(context: Context) -> Response:
    """Check login and password. Unknown login, wrong password and closed account get the same answer."""
    form = once(context.request.form)
    login = form.get("login", "").replace("\x00", "\ufffd").strip().lower()[:200]       # PostgreSQL knows no NUL
    target = local_path(form.get("next"))
    address = context.request.remote_addr or ""
    if accounts.limited(context.connection, login, address):
        context.connection.commit()
        log.warning("sign-in refused: too many attempts", extra={"login": login[:100], "address": address})
        response = _draw(context, login, target, context.text(
            "Too many attempts. Wait a quarter of an hour and try again."), 429)
        response.headers["Retry-After"] = "900"
        return response
    account = accounts.sign_in(context.connection, login, form.get("password", ""), address)
    if account is None:
        context.connection.commit()                      # the failed attempt is counted
        log.warning("sign-in failed", extra={"login": login[:100], "address": address})
        return _draw(context, login, target, context.text("This login or password is not right."), 401)
    log.info("signed in", extra={"login": login[:100], "address": address})
    return _begin(context, account, target)


def leave(context: Context) -> Response:
    """End the session."""
    if context.account is not None:
        accounts.close_session(context.connection, context.account.session)
    response = redirect("/login")
    drop_cookie(response, context.request, "sid")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def token(context: Context) -> Response:
    """The CSRF token of the session: a form opened before a new sign-in in another tab can still be sent."""
    return Response(json.dumps({"csrf": context.csrf}), content_type="application/json")


def set_up(context: Context, secret: str) -> Response:
    """The page of a set-up link."""
    if not accounts.setup_link_open(context.connection, secret):
        raise NotFound(N_("This link is not valid any more."))
    return render(context, "set_up.html", Frame(context.text("Welcome")), secret=secret, problem="")


def finish(context: Context, secret: str) -> Response:
    """Spend a set-up link: the first administrator has a password now."""
    form = once(context.request.form)
    try:
        if form.get("password", "") != form.get("again", ""):
            problem = context.text("The two passwords are not the same.")
        else:
            return _begin(context, accounts.use_setup_link(context.connection, secret, form.get("password", "")), "/")
    except Invalid as error:
        context.undo()
        problem = " ".join(context.text(p.message, **p.params) for p in error.problems)
    return render(context, "set_up.html", Frame(context.text("Welcome")), 422, secret=secret, problem=problem)


def _begin(context: Context, account: int, target: str) -> Response:
    response = redirect(target)
    set_cookie(response, context.request, "sid", accounts.open_session(context.connection, account))
    drop_cookie(response, context.request, "csrf")
    return response


def _draw(context: Context, login: str, target: str, problem: str, status: int = 200) -> Response:
    return render(context, "login.html", Frame(context.text("Sign in")), status, login=login, target=target,
                  problem=problem)


ROUTES = (
    Route("/login", ("GET",), show, "public", "everyone"),
    Route("/login", ("POST",), enter, "public", "everyone", 20_000),
    Route("/logout", ("POST",), leave, "session", "self", 20_000),
    Route("/-/token", ("GET",), token, "session", "self"),
    Route("/set-up/<secret>", ("GET",), set_up, "public", "everyone"),
    Route("/set-up/<secret>", ("POST",), finish, "public", "everyone", 20_000),
)
