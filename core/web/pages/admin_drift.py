"""Drift: what in the database or the folder is not as the live version wants it, and the ways out."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Response

from core.bm import mending, service
from core.bm.drift import findings as drifts
from core.bm.drift.findings import Drift
from core.bm.inputs.drifted import FOLDER, VIEWS, Drifted
from core.errors import NotFound, Refused
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.admin import frame, short
from core.web.request import once, only
from core.web.response import page, redirect
from core.web.routing import Route
from core.web.shell import fragment, render

STAYS = N_("It stays; promotions leave it alone.")


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as the page shows it."""

    key: str
    what: str
    name: str
    wanted: str
    found: str
    way_out: str
    stops: bool
    adoptable: bool
    mends: bool


@dataclass(frozen=True, slots=True)
class View:
    """The findings of one view: the tables, the stored definitions, the folder."""

    title: str
    rows: list[Row]


def show(context: Context) -> Response:
    """What differs, by view, with what was told to stay."""
    return _page(context)


def warning(context: Context) -> Response:
    """One line for the administration page; nothing where the database is as it should be."""
    try:
        found = [one for one in _look(context).findings if one.view != FOLDER]
    except Refused:
        found = []
    return page(fragment(context.text, "drift_warning.html", count=len(found), stops=any(one.stops for one in found)))


def change(context: Context) -> Response:
    """Mend what is safe, or let one thing stay that somebody added by hand."""
    form = once(context.request.form)
    only(form, ("_csrf", "csrf", "stays"))
    login = context.account.login if context.account is not None else ""
    plugins = service.load_plugins(context.settings)
    try:
        with service.owner(context.settings) as engine:
            if form.get("stays"):
                drifts.adopt(engine, [form["stays"]], plugins, login)
                return redirect("/admin/drift?done=stays")
            number = mending.repair(engine, plugins, login, context.account.id if context.account is not None else None)
    except (Refused, NotFound) as error:
        return _page(context, [context.text.of(error.words)])
    return redirect("/admin/drift" if number is None else f"/admin/promotions/{number}")


def _look(context: Context) -> Drift:
    with service.owner(context.settings) as engine:
        return drifts.drift(context.settings, engine, service.load_plugins(context.settings))


def _page(context: Context, problems: list[str] | None = None) -> Response:
    title, refusal, found = context.text("Drift"), "", Drift(())
    try:
        found = _look(context)
    except Refused as error:
        refusal = context.text.of(error.words)
    stays = context.request.args.get("done", "") == "stays" and not problems
    return render(
        context, "drift.html", frame(context, title), 409 if problems else 200, title=title, refusal=refusal,
        problems=problems or [], views=_views(context, found.findings),
        stays=[_row(context, one) for one in found.adopted],
        mends=any(one.mends for one in found.findings), may=context.may("promote"),
        done=context.text(STAYS) if stays else "")


def _views(context: Context, findings: tuple[Drifted, ...]) -> list[View]:
    return [View(context.text(title), [_row(context, one) for one in findings if one.view == view])
            for view, title in VIEWS.items()]


def _row(context: Context, one: Drifted) -> Row:
    text = context.text
    return Row(one.name, text(one.what), short(context, f"{one.name}/").rstrip("/"), text.of(one.wanted),
               text.of(one.found), text.of(one.way_out), one.stops, one.adoptable, one.mends)


ROUTES = (
    Route("/admin/drift", ("GET",), show, "session", "plan", alone=True),
    Route("/admin/drift/warning", ("GET",), warning, "session", "plan", alone=True),
    Route("/admin/drift", ("POST",), change, "session", "promote", 10_000, alone=True),
)
