"""The administrator's page: versions, the plan of what the site's folder would change, promote and roll back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.bm import describe, service
from core.bm.live import Version
from core.bm.service import Planned
from core.errors import BadRequest, Conflict, DefinitionError, Refused
from core.web.context import Context
from core.web.i18n import N_
from core.web.request import once
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.date import moment


@dataclass(frozen=True, slots=True)
class Row:
    """A version in the list of versions."""

    version: Version
    when: Markup


def show(context: Context) -> Response:
    """The versions that were live, newest first, and the way to the plan."""
    versions = service.describe_versions(context.connection)
    rows = [Row(version, moment(version.created_on, context.viewer)) for version in versions]
    return render(context, "admin.html", _frame(context), rows=rows, metadata=_place(context.settings.metadata),
                  done=context.request.args.get("done", ""))


def plan(context: Context) -> Response:
    """What promoting the site's folder would change."""
    return _plan_page(context, "promote", None)


def promote(context: Context) -> Response:
    """Promote the site's folder, if its plan is still the one that was seen."""
    message = once(context.request.form).get("message", "").strip()[:500]

    def run(planned: Planned) -> int:
        with service.owner(context.settings) as engine:
            return service.promote_folder(context.settings, engine, planned, message, *_author(context))
    return _apply(context, "promote", None, run)


def plan_back(context: Context, version: int) -> Response:
    """What going back to a version would change."""
    return _plan_page(context, "rollback", version)


def roll_back(context: Context, version: int) -> Response:
    """Make an earlier version live again, if its plan is still the one that was seen."""
    def run(planned: Planned) -> int:
        with service.owner(context.settings) as engine:
            return service.rollback_to(context.settings, engine, version, planned, *_author(context))
    return _apply(context, "rollback", version, run)


def _planned(context: Context, version: int | None) -> Planned:
    with service.owner(context.settings) as engine:
        if version is None:
            return service.plan_folder(context.settings, engine)
        return service.plan_rollback(context.settings, engine, version)


def _plan_page(context: Context, what: str, version: int | None, status: int = 200, refusal: str = "") -> Response:
    problems: list[str] = []
    planned = None
    try:
        planned = _planned(context, version)
    except DefinitionError as error:
        problems = [str(problem) for problem in error.problems]
    except Refused as error:
        problems = context.text.of(error.words).splitlines()
    found, say = planned.plan if planned is not None else None, context.text.of
    return render(
        context, "plan.html", _frame(context, N_("Plan")), status, what=what, version=version, plan=found,
        problems=[*problems, *map(say, found.problems if found else ())], refusal=refusal,
        changes=[(one.sign, say(one.describe()), describe.details(one)) for one in found.changes] if found else [],
        notes=[*map(say, found.notes if found else ())], summary=say(describe.summary(found)) if found else "",
        metadata=_place(context.settings.metadata),
        action=f"/admin/rollback/{version}" if version is not None else "/admin/promote")


def _apply(context: Context, what: str, version: int | None, run: Callable[[Planned], int]) -> Response:
    """Plan again, compare with what was seen, and go; the answer is a new page, for this one ran on the old version."""
    seen = context.request.form.get("plan", "")
    if not seen:
        raise BadRequest(N_("Look at the plan first."))
    try:
        planned = _planned(context, version)
        if planned.plan.hash != seen:
            return _plan_page(context, what, version, 409,
                              context.text("Things changed since you saw this plan. Look at the new one."))
        context.undo()                          # a promotion must not wait for locks of the request that runs it
        with context.systems.aside(context.version):
            done = run(planned)
    except DefinitionError as error:
        return _plan_page(context, what, version, 422, str(error).splitlines()[0])
    except (Refused, Conflict) as error:
        return _plan_page(context, what, version, 409, context.text.of(error.words))
    return redirect(f"/admin?done={done}")


def _author(context: Context) -> tuple[str, int | None]:
    account = context.account
    return (account.login, account.id) if account is not None else ("", None)


def _frame(context: Context, step: str = "") -> Frame:
    crumbs = [Crumb(context.text("Administration"), "/admin")]
    if step:
        crumbs.append(Crumb(context.text(step), context.request.path))
    return Frame(crumbs[-1].title, crumbs, "/admin")


def _place(path: Path) -> str:
    """The site's folder as people know it, without the machine's own folders before it."""
    return "/".join(path.parts[-2:])


ROUTES = (
    Route("/admin", ("GET",), show, "session", "plan"),
    Route("/admin/plan", ("GET",), plan, "session", "plan", alone=True),
    Route("/admin/promote", ("POST",), promote, "session", "promote", 20_000, alone=True),
    Route("/admin/rollback/<id:version>", ("GET",), plan_back, "session", "plan", alone=True),
    Route("/admin/rollback/<id:version>", ("POST",), roll_back, "session", "roll_back", 20_000, alone=True),
)
