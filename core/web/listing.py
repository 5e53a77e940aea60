"""What a list page is about: which records, in which columns and order; read from its address and a saved view.

The page, its groups, its cards and the actions on many records all begin with the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.ed import conditions, grouping, query_values, saved_views
from core.ed.grouping import By
from core.ed.selection import readable_paths
from core.errors import BadRequest, Words
from core.expression import Expression
from core.expression.nodes import Or
from core.expression.type_rules import BOOLEAN
from core.types.base import BadValue
from core.web.asked import Asked, asked
from core.web.context import Context
from core.web.list_view import ListView, list_view
from core.web.request import natural
from core.web.state import ListState

if TYPE_CHECKING:
    from core.definition.model import List, Model, Object
    from core.ed.saved_views import SavedView

KEPT = ("list", "search", "filters", "where", "sort", "columns", "group", "mode", "limit")     # of a state, in a view


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as somebody looks at it."""

    thing: Object
    state: ListState
    view: ListView
    definition: List
    active: frozenset[str]                  # the filters that are switched on
    answered: Asked | None                  # what a query asks for
    saved: SavedView | None                 # the view that it began as
    views: Sequence[SavedView]
    gone: tuple[str, ...]                   # what the state names and this user does not find

    @property
    def group(self) -> tuple[By, ...]:
        """What its records are grouped by."""
        return tuple(by_of(entry) for entry in self.state.group)

    @property
    def asks(self) -> bool:
        """Whether something must be filled in first."""
        return self.answered is not None and self.answered.values is None

    @property
    def search(self) -> str | None:
        """What the search box holds."""
        return self.state.search or None


def listing(context: Context, thing: Object) -> Listing:
    """Read a list's address; a bare one opens the view that the user chose."""
    state = ListState.of(context.request, f"/{thing.name}")
    views = saved_views.views(context.session, thing.name, context.epoch)
    if not context.request.args:
        state = replace(state, view=saved_views.first(context.session, thing.name, context.epoch))
    saved = next((view for view in views if view.id == state.view), None)
    unsaid: tuple[str, ...] = ()
    if saved is not None and set(context.request.args) <= {"view"}:
        state, unsaid = _told(context, thing.of, restored(state, saved), saved)
    names = thing.lists or (context.system.model.list_of(thing.of).name,)
    name = state.list if state.list in names else names[0]
    wanted, gone = _readable(context, thing.of, state)
    view = list_view(context.system, name, thing.of, context.viewer.locale.language,
                     context.records.readable(thing.of), context.session.user.shape, wanted.columns)
    definition = context.system.model.lists.get(view.name) or context.system.model.list_of(thing.of)
    known = {chip.name for chip in view.filters}
    active = frozenset(chip.name for chip in view.filters if chip.default and not state.trash) \
        if state.filters is None else frozenset(state.filters) & known
    answered = asked(context, context.system.model.queries[thing.query]) if thing.query else None
    return Listing(thing, wanted, view, definition, active, answered, saved, views, (*gone, *unsaid))


def by_of(entry: str) -> By:
    """A key of groups as addresses have it: `stage`, or `ends:month`."""
    path, colon, unit = entry.partition(":")
    return (path, unit) if colon else path


def kept(state: ListState) -> dict[str, Any]:
    """What of a list's state a saved view keeps, as JSON."""
    empty = ListState(state.path)
    return {key: value for key in KEPT if (value := getattr(state, key)) != getattr(empty, key)}


def restored(state: ListState, view: SavedView) -> ListState:
    """The state that a saved view keeps; what no longer fits is as if it were not said."""
    said: Mapping[str, Any] = view.state
    texts = {key: tuple(str(one) for one in said[key]) for key in ("filters", "sort", "columns", "group")
             if isinstance(said.get(key), list)}
    plain = {key: str(said[key]) for key in ("list", "search", "where", "mode") if key in said}
    limit = natural(str(said.get("limit", "")), state.limit, 200) or state.limit
    return replace(state, **texts, **plain, limit=limit)  # type: ignore[arg-type]  # all are texts


def _told(context: Context, table: str, state: ListState, saved: SavedView) -> tuple[ListState, tuple[str, ...]]:
    """The state of a view without a condition of somebody else's that the user may not read all of: nor its values."""
    if not state.where or saved.owner == context.session.user.user_id:
        return state, ()
    try:
        conditions.parse(context.session, table, state.where)
    except BadRequest:
        return replace(state, where=""), (context.text("Show records where"),)
    return state, ()


def where_of(context: Context, listed: Listing) -> list[Any]:
    """All conditions of a list: of the object, its query and its list's, of the filters (one group's are
    alternatives), of the user, of the group that is looked into. Raises BadRequest."""
    thing, state, model = listed.thing, listed.state, context.system.model
    where: list[Any] = [] if thing.where is None else [thing.where]
    if listed.answered is not None and listed.answered.values is not None and thing.query is not None:
        where += query_values.chosen(context.session, model.queries[thing.query], listed.answered.values)
    if listed.definition.query is not None and listed.definition.query != thing.query:
        query = model.queries[listed.definition.query]
        where += query_values.chosen(context.session, query, query_values.values(context.session, query, {}))
    groups: dict[str, list[Any]] = {}
    for name in sorted(listed.active):
        filter = listed.definition.filters[name]
        groups.setdefault(filter.group or f"{name} alone", []).append(filter.where)
    for either in groups.values():
        where.append(either[0] if len(either) == 1 else _any_of(model, either))
    if state.where:
        where.append(state.where)
    if state.inside is not None:
        where.append(grouping.within(context.session, thing.of, listed.group, group_values(context, listed)))
    return where


def order_of(context: Context, listed: Listing) -> tuple[str, ...]:
    """What a list is sorted by: as somebody asks, as it says, else as its query or the object's is."""
    model = context.system.model
    names = (listed.definition.query, listed.thing.query)
    return listed.state.sort or listed.view.order or next(
        (model.queries[name].order for name in names if name and model.queries[name].order), ())


def group_values(context: Context, listed: Listing) -> list[object]:
    """The values of the group that is looked into, in normal form. Raises BadRequest."""
    columns = grouping.key_columns(context.session, listed.thing.of, listed.group)
    found = []
    for column, value in zip(columns, listed.state.inside or (), strict=False):
        try:
            found.append(column.field.type.from_wire(value, column.field.properties))
        except BadValue as error:
            raise BadRequest(Words(error.message, error.params), "in") from None
    return found


def _readable(context: Context, table: str, state: ListState) -> tuple[ListState, tuple[str, ...]]:
    """A state without the columns, order and groups that name what this user does not find."""
    if not (state.columns or state.sort or state.group):
        return state, ()
    named = {*state.columns, *(entry.partition(":")[0] for entry in state.group)}
    if state.view:                      # of an address that somebody typed, an order that is not known is refused
        named |= {entry.removeprefix("-") for entry in state.sort}
    known = set(readable_paths(context.session.gate, table, named))
    gone = tuple(sorted(named - known))
    if not gone:
        return state, ()
    return replace(
        state, columns=tuple(path for path in state.columns if path in known),
        group=tuple(entry for entry in state.group if entry.partition(":")[0] in known),
        sort=tuple(entry for entry in state.sort if not state.view or entry.removeprefix("-") in known)), gone


def _any_of(model: Model, conditions: Sequence[Expression]) -> Expression:
    """Conditions of which one must hold; they are the definition's own, so they are not read as the user's."""
    either = Or(type=BOOLEAN, parts=tuple(one.node for one in conditions))
    return Expression(" or ".join(f"({one.source})" for one in conditions), either, model.names.is_kind_of)
