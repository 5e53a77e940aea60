"""What was removed and is kept: how much, since when, until when; bringing it back, and removing it for good."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.bm import parked, parked_purge, parked_restore, service
from core.bm.engine.steps import Plan
from core.bm.parked import Parked
from core.bm.versions.state import State
from core.errors import Conflict, DefinitionError, NotFound, Refused
from core.web import plan_view
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.admin import frame, short
from core.web.request import once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, render
from core.web.widgets.date import moment

WHAT = {"table": N_("table"), "kind": N_("table"), "field": N_("field"), "column": N_("field, in its former form")}
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A parked thing in the list."""

    name: str
    what: str
    values: str
    written: Markup | str
    since: Markup
    until: Markup
    ripe: bool
    restorable: bool


def show(context: Context) -> Response:
    """What is parked."""
    return _page(context)


def restore(context: Context) -> Response:
    """Write the definition of a parked thing back into the site's folder; the next plan brings it."""
    name = _name(context, ("_csrf", "csrf", "name"))
    try:
        with service.owner(context.settings) as engine:
            file = parked_restore.restore(context.settings, engine, service.load_plugins(context.settings), name)
    except DefinitionError as error:
        return _page(context, [short(context, str(problem)) for problem in error.problems])
    except (Refused, NotFound, Conflict) as error:
        return _page(context, [context.text.of(error.words)])
    return _page(context, said=context.text("{file} says it again. Look at the plan to bring its values back.",
                                            file=_shown(context, file)))


def plan(context: Context) -> Response:
    """What removing a parked thing for good would do."""
    return _plan_page(context, once(context.request.args).get("name", "")[:LONGEST])


def purge(context: Context) -> Response:
    """Remove a parked thing for good, with the consent that its plan asks for."""
    name = _name(context, ("_csrf", "csrf", "name", "plan", "consent"))
    form = context.request.form
    try:
        planned, state = _planned(context, name)
        if not hmac.compare_digest(planned.hash.encode(), form.get("plan", "").encode()):
            return _plan_page(context, name, 409,
                              context.text("Things changed since you saw this plan. Look at the new one."))
        letters = planned.hash[:6]
        if not hmac.compare_digest(form.get("consent", "").strip().casefold().encode(), letters.encode()):
            return _plan_page(context, name, 422,
                              problem=context.text("Type these letters: {letters}", letters=letters))
        account = context.account
        with service.owner(context.settings) as engine:
            number = parked_purge.apply(engine, service.load_plugins(context.settings), planned, state,
                                   account.login if account else "", account.id if account else None)
    except (Refused, NotFound, Conflict) as error:
        return _page(context, [context.text.of(error.words)])
    return redirect(f"/admin/promotions/{number}")


def _name(context: Context, known: tuple[str, ...]) -> str:
    form = once(context.request.form)
    only(form, known)
    return form.get("name", "")[:LONGEST]


def _shown(context: Context, file: Path) -> str:
    return short(context, str(file))


def _planned(context: Context, name: str) -> tuple[Plan, State]:
    """Raises NotFound, Refused."""
    with service.owner(context.settings) as engine, engine.connect() as connection:
        things = parked_purge.chosen(parked.parked(connection, context.settings), [name], context.viewer.now, now=True)
        return parked_purge.plan(connection, service.load_plugins(context.settings), things,
                            not context.settings.trash_history)


def _page(context: Context, problems: list[str] | None = None, said: str = "") -> Response:
    with service.owner(context.settings) as engine, engine.connect() as connection:
        found = parked.parked(connection, context.settings)
    title = context.text("Parked")
    return render(context, "parked.html", frame(context, title), 409 if problems else 200, title=title,
                  rows=[_row(context, one) for one in found], problems=problems or [], said=said,
                  days=context.settings.parked_days, may=context.may("purge"))


def _row(context: Context, one: Parked) -> Row:
    viewer = context.viewer
    return Row(one.name, context.text(WHAT.get(one.what, one.what)),
               context.text("very many") if one.values is None else f"{one.values:,}",
               moment(one.last_written, viewer) if one.last_written is not None else "–",
               moment(one.parked_on, viewer), moment(one.purge_from, viewer), one.ripe(viewer.now),
               one.what != "column")


def _plan_page(context: Context, name: str, status: int = 200, refusal: str = "", problem: str = "") -> Response:
    try:
        planned, _ = _planned(context, name)
    except (Refused, NotFound, Conflict) as error:
        return _page(context, [context.text.of(error.words)])
    title = context.text("Remove {name} for good", name=name)
    return render(context, "purge.html", frame(context, title, Crumb(context.text("Parked"), "/admin/parked")), status,
                  title=title, name=name, plan=planned, notes=plan_view.said(context, planned.notes),
                  stages=plan_view.stages(planned.steps, context.text), letters=planned.hash[:6], refusal=refusal,
                  problem=problem)


ROUTES = (
    Route("/admin/parked", ("GET",), show, "session", "plan", alone=True),
    Route("/admin/parked/restore", ("POST",), restore, "session", "purge", 10_000, alone=True),
    Route("/admin/parked/purge", ("GET",), plan, "session", "purge", alone=True),
    Route("/admin/parked/purge", ("POST",), purge, "session", "purge", 10_000, alone=True),
)
