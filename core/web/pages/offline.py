"""Signing in to the offline system: its demo accounts with their roles, each one press away. Live has no such page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import text
from werkzeug.wrappers import Response

from core.ed.records import Records
from core.ed.session import Session
from core.errors import BadRequest
from core.web import accounts, offline, routes
from core.web.authentication import drop_cookie, set_cookie
from core.web.context import Context
from core.web.i18n import N_
from core.web.request import local_path, once
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Frame, avatar, render

_ACCOUNTS = text("select id, login, user_id from sys.account where demo and active and user_id is not null order by id")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom one can be."""

    account: int
    login: str
    name: str
    roles: str
    here: bool


def choose(context: Context) -> Response:
    """Everybody whom one can be here."""
    return render(context, "offline_people.html", Frame(context.text("Sign in")), people=_people(context),
                  avatar=avatar, target=local_path(context.request.args.get("next")))


def be(context: Context) -> Response:
    """Go on as one of them."""
    form = once(context.request.form)
    chosen = next((one for one in _people(context) if one.login == form.get("login", "")), None)
    if chosen is None:
        raise BadRequest(N_("There is no such demo account."))
    if context.account is not None:
        accounts.close_session(context.connection, context.account.session)
    response = redirect(local_path(form.get("next")))
    set_cookie(response, context.request, "sid", accounts.open_session(context.connection, chosen.account))
    drop_cookie(response, context.request, "csrf")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _people(context: Context) -> list[Person]:
    system = context.system
    records = Records(Session.system_session(system, context.connection))
    roles = defaultdict(list)
    for row in records.page("role_assignment", ["user", "role"], limit=1_000).records:
        name = str(row["role"])
        roles[row["user"]].append(system.model.text(f"role {name}.title", context.text.language) or name)
    rows = context.connection.execute(_ACCOUNTS).all()
    names = {row["id"]: row["name"] for row in records.read("user", [row.user_id for row in rows], ["name"])}
    here = context.account.login if context.account is not None else ""
    return [Person(row.id, row.login, str(names.get(row.user_id) or row.login), ", ".join(roles[row.user_id]),
                   row.login == here) for row in rows]


# All that live has but the way into an offline system and the question for a password.
ROUTES = (
    *(route for route in routes.ROUTES if route not in offline.ROUTES
      and (route.rule, route.methods) != ("/login", ("GET",))),
    Route("/login", ("GET",), choose, "public", "everyone"),
    Route("/-/be", ("POST",), be, "public", "everyone", 20_000),
)
