"""One's own account: language, theme, time zone, password."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from core.ed.records import Records
from core.ed.session import Session
from core.errors import Denied, FieldProblem, Invalid
from core.web import accounts
from core.web.context import Account, Context
from core.web.i18n import LANGUAGES, N_
from core.web.request import local_path, once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.viewer import languages, zones

THEMES = {"system": N_("As the device"), "light": N_("Light"), "dark": N_("Dark")}


def show(context: Context) -> Response:
    """The page of one's own settings."""
    return _draw(context, {}, 200, context.request.args.get("done", ""))


def settings(context: Context) -> Response:
    """Keep language, theme and time zone on the user's own record; the user menu sends one of them at a time."""
    form = once(context.request.form)
    only(form, ("_csrf", "csrf", "next", "language", "theme", "time_zone"))
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for key, allowed in (("language", set(languages(context))), ("theme", set(THEMES)), ("time_zone", zones())):
        if key not in form:
            continue
        if form[key] and form[key] not in allowed:
            problems[key] = context.text("This is none of the choices.")
        values[key] = form[key] or None
    if problems:
        return _draw(context, problems, 422)
    _store(context, values)
    return redirect(local_path(form.get("next")) if "next" in form else "/my-account?done=settings")


def password(context: Context) -> Response:
    """Change one's own password; all other sessions of the account end."""
    account = require_account(context)
    form = once(context.request.form)
    try:
        if form.get("new", "") != form.get("again", ""):
            raise Invalid([FieldProblem("again", "differs", N_("The two passwords are not the same."))])
        accounts.change_password(context.connection, account.id, form.get("old", ""), form.get("new", ""))
    except Invalid as error:
        context.undo()
        return _draw(context, {p.field: context.text(p.message, **p.params) for p in error.problems}, 422)
    accounts.close_others(context.connection, account.id, account.session)
    return redirect("/my-account?done=password")


def require_account(context: Context) -> Account:
    """The signed-in account; its routes let nobody else in. Raises Denied."""
    if context.account is None:
        raise Denied(N_("Sign in first."))
    return context.account


def _store(context: Context, values: dict[str, Any]) -> None:
    """Write to the user's record as the system: everybody may choose how things look to them."""
    user = require_account(context).user_id
    records = Records(Session.system_session(context.system, context.connection, how="page"))
    known = context.system.model.tables["user"].fields
    wanted = {key: value for key, value in values.items() if key in known}
    found = records.read("user", [user], ["id", *wanted])
    if found and wanted and any(found[0].get(key) != value for key, value in wanted.items()):
        records.update("user", [{"id": user, "_version": found[0]["_version"], **wanted}])


def _draw(context: Context, problems: dict[str, str], status: int, done: str = "") -> Response:
    title = context.text("My account")
    return render(context, "account.html", Frame(title, (Crumb(title, "/my-account"),)), status,
                  problems={"language": "", "time_zone": "", "old": "", "new": "", "again": "", **problems},
                  offered={name: LANGUAGES[name] for name in languages(context)}, zones=sorted(zones()),
                  themes={key: context.text(label) for key, label in THEMES.items()}, done=done)


ROUTES = (
    Route("/my-account", ("GET",), show, "session", "self"),
    Route("/my-account/settings", ("POST",), settings, "session", "self", 20_000),
    Route("/my-account/password", ("POST",), password, "session", "self", 20_000),
)
