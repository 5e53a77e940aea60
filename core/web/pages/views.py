"""Saved views of lists: saving how a list stands, for whom, changing and removing; which one a list opens with."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from core.ed import saved_views
from core.ed.saved_views import Audience, SavedView
from core.errors import BadRequest, NotFound
from core.web.context import Context
from core.web.i18n import N_
from core.web.listing import kept
from core.web.pages.objects import object_of, object_title
from core.web.request import natural, once, only
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.state import ListState

FIELDS = ("_csrf", "title", "for", "first", "version")


def new(context: Context, object: str) -> Response:
    """A form for a name and for whom; the address has what is saved."""
    state = _state(context, object)
    return _form(context, object, None, f"/-/views/{object}?{state.url().partition('?')[2]}")


def create(context: Context, object: str) -> Response:
    """Save the state in the address as a view."""
    form, state = _posted(context), _state(context, object)
    id = saved_views.save(context.session, object, form.get("title", ""), kept(state), _audience(form))
    if form.get("first"):
        saved_views.open_first(context.session, object, id)
    return redirect(f"/{object}?view={id}")


def edit(context: Context, object: str, id: int) -> Response:
    """The same form for a view that is there."""
    object_of(context, object)
    return _form(context, object, _view(context, object, id), f"/-/views/{object}/{id}")


def change(context: Context, object: str, id: int) -> Response:
    """Change a view's name and for whom it is."""
    form, view = _posted(context), _view(context, object, id)
    saved_views.change(context.session, id, natural(form.get("version"), 0, 2**31), form.get("title", ""), None,
                       _audience(form))
    if bool(form.get("first")) != (_first(context, object) == id):
        saved_views.open_first(context.session, object, id if form.get("first") else 0)
    return redirect(f"/{object}?view={view.id}")


def keep(context: Context, object: str, id: int) -> Response:
    """Save the state in the address as what a view shows from now on."""
    form, view, state = _posted(context), _view(context, object, id), _state(context, object)
    saved_views.change(context.session, id, natural(form.get("version"), 0, 2**31), view.title, kept(state),
                       view.audience)
    return redirect(f"/{object}?view={id}")


def remove(context: Context, object: str, id: int) -> Response:
    """Remove a view, for all who have it."""
    _posted(context)
    _view(context, object, id)
    saved_views.remove(context.session, id)
    return redirect(f"/{object}?view=0")


def _form(context: Context, object: str, view: SavedView | None, action: str) -> Response:
    thing = object_of(context, object)
    title = object_title(context, thing)
    share = saved_views.may_share(context.session)
    frame = Frame(context.text("View"), (Crumb(title, f"/{object}"), Crumb("", "")), object)
    return render(
        context, "view.html", frame, title=title, view=view, action=action, share=share,
        back=f"/{object}", object=object, longest=saved_views.LONGEST_TITLE,
        audiences=_audiences(context) if share else [], chosen=_chosen(view),
        first=view is not None and _first(context, object) == view.id)


def _audiences(context: Context) -> list[tuple[str, str]]:
    """For whom a view can be: the roles, and those whom the user belongs to."""
    model, language = context.system.model, context.viewer.locale.language
    found = [(f"role:{name}", model.text(f"role {name}.title", language) or role.title)
             for name, role in model.roles.items()]
    for table, ids in context.session.user.arrays.items():
        if ids and table != "user" and context.records.may(table, "read"):
            titles = context.records.read(table, list(ids), ["_title"])
            found += [(f"people:{record['id']}", str(record["_title"] or f"#{record['id']}")) for record in titles]
    return found


def _chosen(view: SavedView | None) -> str:
    audience = view.audience if view is not None else Audience()
    if audience.everyone:
        return "all"
    if audience.role is not None:
        return f"role:{audience.role}"
    return f"people:{audience.people}" if audience.people is not None else ""


def _audience(form: Mapping[str, str]) -> Audience:
    kind, _, value = form.get("for", "").partition(":")
    if kind == "all":
        return Audience(everyone=True)
    if kind == "role":
        return Audience(role=value)
    if kind == "people":
        return Audience(people=natural(value, 0, 2**62))
    if kind:
        raise BadRequest(N_("This is none of those whom a view can be for."), "for")
    return Audience()


def _posted(context: Context) -> Mapping[str, str]:
    form = once(context.request.form)
    only(form, FIELDS)
    return form


def _state(context: Context, object: str) -> ListState:
    return ListState.of(context.request, f"/{object_of(context, object).name}")


def _first(context: Context, object: str) -> int:
    return saved_views.first(context.session, object, context.epoch)


def _view(context: Context, object: str, id: int) -> SavedView:
    found = next((view for view in saved_views.views(context.session, object, context.epoch) if view.id == id), None)
    if found is None:
        raise NotFound(N_("There is no such view, or it is not for you."))
    return found


ROUTES = (
    Route("/-/views/<object>/new", ("GET",), new, "session", "records"),
    Route("/-/views/<object>", ("POST",), create, "session", "records"),
    Route("/-/views/<object>/<id:id>", ("GET",), edit, "session", "records"),
    Route("/-/views/<object>/<id:id>", ("POST",), change, "session", "records"),
    Route("/-/views/<object>/<id:id>/keep", ("POST",), keep, "session", "records"),
    Route("/-/views/<object>/<id:id>/remove", ("POST",), remove, "session", "records"),
)
