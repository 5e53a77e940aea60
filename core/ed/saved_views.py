"""Saved views: lists as people have arranged them, for themselves or for others; kept beside the records.

A view holds what the address of a list says. It gives no right: what it names and somebody may not see is left out
when they open it. Saving one raises the epoch, so that all processes read the views of a list once and then know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, Table, Text, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from core.ed import tables
from core.ed.setting import raise_epoch
from core.errors import BadRequest, Conflict, Denied, NotFound

if TYPE_CHECKING:
    from core.ed.session import Session

LONGEST_TITLE = 80
MOST = 100                      # of one person, for one list
_view = Table(
    "saved_view", tables.SYSTEM, Column("id", BigInteger, primary_key=True), Column("object", Text),
    Column("title", Text), Column("owner", BigInteger), Column("everyone", Boolean), Column("role", Text),
    Column("people", BigInteger), Column("state", JSONB), Column("version", Integer),
    Column("changed_on", DateTime(timezone=True)))
_first = Table("first_view", tables.SYSTEM, Column("user_id", BigInteger, primary_key=True),
               Column("object", Text, primary_key=True), Column("view_id", BigInteger))


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom a view is: nobody else if it says nothing."""

    everyone: bool = False
    role: str | None = None
    people: int | None = None           # a record that stands for people, such as a team

    @property
    def shared(self) -> bool:
        """Whether others have it too."""
        return self.everyone or self.role is not None or self.people is not None


@dataclass(frozen=True, slots=True)
class SavedView:
    """One view of the list of an object."""

    id: int
    object: str
    title: str
    owner: int
    audience: Audience
    state: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class _Views:
    views: tuple[SavedView, ...]
    first: Mapping[int, int]


def views(session: Session, object: str, epoch: int) -> list[SavedView]:
    """The views of an object's list that this user has: own ones first, each by title."""
    user = session.user
    found = [view for view in _known(session, object, epoch).views if _has(session, view)]
    return sorted(found, key=lambda view: (view.owner != user.user_id, view.title.casefold(), view.id))


def first(session: Session, object: str, epoch: int) -> int:
    """The view with which the user's list of an object opens; 0: as it was shipped."""
    wanted = _known(session, object, epoch).first.get(session.user.user_id or 0, 0)
    return wanted if any(view.id == wanted for view in views(session, object, epoch)) else 0


def may_share(session: Session) -> bool:
    """Whether the user may save views for others."""
    return session.user.all or any(session.system.model.roles[name].shares_views for name in session.user.roles)


def save(session: Session, object: str, title: str, state: Mapping[str, Any], audience: Audience) -> int:
    """Save a new view; gives its id. Raises BadRequest, Denied."""
    connection, owner = session.connection, _user(session)
    values = {"title": _title(title), "state": dict(state), **_audience(session, audience)}
    count = select(func.count()).select_from(_view).where(_view.c.object == object, _view.c.owner == owner)
    if connection.execute(count).scalar_one() >= MOST:
        raise BadRequest("You have {most} views of this list; remove one first.", "title", most=MOST)
    id = connection.execute(insert(_view).values(object=object, owner=owner, **values).returning(_view.c.id))
    raise_epoch(connection)
    return int(id.scalar_one())


def change(session: Session, id: int, version: int, title: str, state: Mapping[str, Any] | None,
           audience: Audience) -> SavedView:
    """Save a view again, `state` only where it is given. Raises NotFound, Denied, BadRequest, Conflict."""
    view = _changeable(session, id)
    if view.version != version:
        raise Conflict("Somebody else changed this view meanwhile. Look at it, then change it again.")
    values = {"title": _title(title), **_audience(session, audience)}
    if state is not None:
        values["state"] = dict(state)
    session.connection.execute(update(_view).where(_view.c.id == id).values(
        version=view.version + 1, changed_on=func.now(), **values))
    raise_epoch(session.connection)
    return view


def remove(session: Session, id: int) -> SavedView:
    """Remove a view, for all who have it. Raises NotFound, Denied."""
    view = _changeable(session, id)
    session.connection.execute(delete(_view).where(_view.c.id == id))
    raise_epoch(session.connection)
    return view


def open_first(session: Session, object: str, id: int) -> None:
    """Let the user's list of an object open with a view; 0: as it was shipped. Raises NotFound."""
    connection, user = session.connection, _user(session)
    if not id:
        connection.execute(delete(_first).where(_first.c.user_id == user, _first.c.object == object))
    elif _one(session, id).object != object:
        raise _none()
    else:
        new = upsert(_first).values(user_id=user, object=object, view_id=id)
        connection.execute(new.on_conflict_do_update(index_elements=["user_id", "object"],
                                                     set_={"view_id": new.excluded.view_id}))
    raise_epoch(connection)


def _known(session: Session, object: str, epoch: int) -> _Views:
    """All views of an object's list, whoever has them, as of an epoch."""
    def load() -> _Views:
        rows = session.connection.execute(select(_view).where(_view.c.object == object)).all()
        chosen = session.connection.execute(select(_first).where(_first.c.object == object)).all()
        return _Views(tuple(map(_read, rows)), {row.user_id: row.view_id for row in chosen})
    return session.system.cache.get(("saved views", object, epoch), load)


def _read(row: Any) -> SavedView:
    return SavedView(row.id, row.object, row.title, row.owner, Audience(row.everyone, row.role, row.people), row.state,
                     row.version)


def _has(session: Session, view: SavedView) -> bool:
    user, audience = session.user, view.audience
    return (view.owner == user.user_id or audience.everyone or audience.role in user.roles
            or any(audience.people in ids for ids in user.arrays.values()))


def _one(session: Session, id: int) -> SavedView:
    row = session.connection.execute(select(_view).where(_view.c.id == id).with_for_update()).first()
    if row is None or not _has(session, _read(row)):
        raise _none()
    return _read(row)


def _changeable(session: Session, id: int) -> SavedView:
    view = _one(session, id)
    if view.owner != session.user.user_id and not may_share(session):
        raise Denied("Only its owner may change this view, and who may save views for others.")
    return view


def _none() -> NotFound:
    return NotFound("There is no such view, or it is not for you.")


def _user(session: Session) -> int:
    if session.user.user_id is None:
        raise Denied("Views belong to users.")
    return session.user.user_id


def _title(title: str) -> str:
    plain = " ".join(title.split())
    if not plain or len(plain) > LONGEST_TITLE or "\x00" in plain or not plain.isprintable():
        raise BadRequest("Give the view a name of at most {most} characters.", "title", most=LONGEST_TITLE)
    return plain


def _audience(session: Session, audience: Audience) -> dict[str, Any]:
    """Check that the user may save views for these. Raises Denied, BadRequest."""
    if audience.shared and not may_share(session):
        raise Denied("You may save views for yourself only.")
    if audience.role is not None and audience.role not in session.system.model.roles:
        raise BadRequest('There is no role "{role}".', "for", role=audience.role[:60])
    if audience.people is not None and not any(audience.people in ids for ids in session.user.arrays.values()):
        raise BadRequest("A view can be for those to whom you belong yourself.", "for")
    return {"everyone": audience.everyone, "role": audience.role, "people": audience.people}
