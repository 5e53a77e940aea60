"""Locked records on their form: why they are, unlocking with a reason, and locking again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.ed import locked
from core.errors import Invalid
from core.web.context import Context
from core.web.pages.objects import object_of
from core.web.request import once
from core.web.response import redirect
from core.web.routing import Route
from core.web.widgets.date import moment


@dataclass(frozen=True, slots=True)
class Banner:
    """What a form says of a lock."""

    closed: bool                        # False: the user has unlocked it
    message: str
    until: Markup | None = None
    reason: str = ""
    may_unlock: bool = False
    fields: Collection[str] = ()        # that may be changed all the same


def banner(context: Context, table: str, id: int) -> Banner | None:
    """What the form of a record says of its lock; None where there is nothing to say, mostly without a statement."""
    standing = locked.standing(context.session, table, id)
    if standing is None:
        return None
    if standing.by is not None:
        return Banner(True, context.text.of(standing.message), may_unlock=standing.may_unlock, fields=standing.fields)
    if standing.until is not None:
        return Banner(False, "", moment(standing.until, context.viewer), standing.reason, standing.may_unlock)
    return None


def unlock(context: Context, object: str, id: int) -> Response:
    """Open a locked record for its user, who says why; then it can be edited."""
    from core.web.pages import form  # which shows the banner
    thing = object_of(context, object)
    table = form.kind(context, thing, id)
    reason = once(context.request.form).get("reason", "")
    try:
        locked.unlock(context.session, table, id, reason)
    except Invalid as error:
        context.undo()
        place = form.place_of(context, thing, table)
        record, trashed = form.load(context, place, id)
        words = "\n".join(context.text(one.message, **one.params) for one in error.problems)
        return form.draw(context, place, record, editing=False, trashed=trashed, problems={"": words}, status=422)
    return redirect(f"/{thing.name}/{id}")


def lock(context: Context, object: str, id: int) -> Response:
    """End an unlocking before its time."""
    from core.web.pages import form
    thing = object_of(context, object)
    locked.lock_again(context.session, form.kind(context, thing, id), id)
    return redirect(f"/{thing.name}/{id}")


ROUTES = (
    Route("/<object>/<id:id>/unlock", ("POST",), unlock, "session", "records", 20_000),
    Route("/<object>/<id:id>/lock", ("POST",), lock, "session", "records", 20_000),
)
