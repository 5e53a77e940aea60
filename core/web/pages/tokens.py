"""One's own tokens for programs: listed, made (shown once), ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from werkzeug.wrappers import Response

from core.ed.scopes import ALL
from core.errors import Invalid, NotFound
from core.types.base import Locale
from core.types.characters import plain_number
from core.types.registry import registry
from core.web import tokens
from core.web.binding import plural
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.account import require_account
from core.web.request import once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render

WORDS = {"read": N_("Read"), "write": N_("Write"), "export": N_("Export")}
DAYS = 90


def show(context: Context) -> Response:
    """The tokens that hold, and the form of a new one."""
    return _draw(context, done=context.request.args.get("done", ""))


def create(context: Context) -> Response:
    """Make a token and show it, this once."""
    account = require_account(context)
    form = once(context.request.form, ("scope", "table"))
    only(form, ("_csrf", "csrf", "name", "days", "scope", "table"))
    words, tables = context.request.form.getlist("scope"), context.request.form.getlist("table")
    scopes = [f"{word}:{table}" for word in words for table in tables] if tables else words
    days = form.get("days", "").strip()
    number = plain_number(days, 5) or 0
    try:
        token = tokens.create(context.connection, context.system.model, account.id, form.get("name", ""), scopes,
                              number)
    except Invalid as error:
        context.undo()
        problems = {problem.field: context.text(problem.message, **problem.params) for problem in error.problems}
        return _draw(context, problems, 422, given={"name": form.get("name", "")[:200], "days": days[:10]},
                     words=words, tables=tables)
    return _draw(context, token=token)


def revoke(context: Context, id: int) -> Response:
    """End a token."""
    only(once(context.request.form), ("_csrf", "csrf"))
    if not tokens.revoke(context.connection, require_account(context).id, id):
        raise NotFound(N_("There is no such token."))
    return redirect("/my-account/tokens?done=ended")


def _draw(context: Context, problems: Mapping[str, str] | None = None, status: int = 200, *, token: str = "",
          done: str = "", given: Mapping[str, str] | None = None, words: list[str] | None = None,
          tables: list[str] | None = None) -> Response:
    title = context.text("Tokens for programs")
    crumbs = (Crumb(context.text("My account"), "/my-account"), Crumb(title, "/my-account/tokens"))
    held = [{"id": one.id, "name": one.name, "scopes": ", ".join(one.scopes),
             "created": _said(one.created_on, context.viewer.locale), "used": _said(one.used_on, context.viewer.locale),
             "expires": _said(one.expires_on, context.viewer.locale)}
            for one in tokens.of_account(context.connection, require_account(context).id)]
    model = context.system.model
    language = context.viewer.locale.language
    named = sorted((plural(model, name, language), name) for name in model.tables if context.records.may(name, "read"))
    return render(context, "tokens.html", Frame(title, crumbs), status, held=held, token=token, done=done,
                  problems={"name": "", "scopes": "", "days": "", **(problems or {})},
                  given={"name": "", "days": str(DAYS), **(given or {})}, most=tokens.MOST_DAYS,
                  words={word: context.text(WORDS[word]) for word in ALL},
                  chosen=["read"] if words is None else words, tables=named, limited=tables or [])


def _said(moment: datetime | None, locale: Locale) -> str:
    kind = registry()["datetime"]
    return kind.format(moment, kind.properties(), locale) if moment is not None else ""


ROUTES = (
    Route("/my-account/tokens", ("GET",), show, "session", "self"),
    Route("/my-account/tokens", ("POST",), create, "session", "self", 20_000),
    Route("/my-account/tokens/<id:id>/revoke", ("POST",), revoke, "session", "self", 20_000),
)
