"""Parts of a form's page that are fetched while it is looked at: how its fields stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from core.web import form_live, former
from core.web.context import Context
from core.web.form_draw import standings
from core.web.pages import form
from core.web.pages.objects import object_of
from core.web.routing import Route
from core.web.widgets.base import Posted


def conditions(context: Context, object: str, id: int | None = None) -> Response:
    """How the fields of a form stand for what is typed in it now; nothing is written."""
    thing = object_of(context, object)
    table = form.kind(context, thing, id) if id is not None else form.new_kind(context, thing)
    place = form.place_of(context, thing, table or thing.of)
    record: Mapping[str, Any] = form.load(context, place, id)[0] if id is not None else {}
    former.read_form(context, place.table)
    posted = Posted(context.request.form, context.request.files)
    entries = {one.key: entry for one in place.view.fields if not one.fixed
               and (entry := one.widget.posted(one.bound, posted, one.key)) is not None}
    values = form.current_values(place.view, record, entries, context)
    draft = form_live.draft(context, thing, place.view, record, values, id)
    form_live.follow(draft, entries)
    found = standings(place.view, {**values, **draft.values}, context.session.environment, ())
    answer: dict[str, dict[str, Any]] = {
        key: {"show": standing.show, "required": standing.required, "fixed": standing.fixed}
        for key, standing in found.items()}
    for key, shown in draft.answer.items():
        answer.setdefault(key, {}).update(shown)
    return Response(json.dumps(answer), content_type="application/json")


ROUTES = (
    Route("/<object>/<id:id>/conditions", ("POST",), conditions, "session", "records", form.UPLOAD),
    Route("/<object>/new/conditions", ("POST",), conditions, "session", "records", form.UPLOAD),
)
