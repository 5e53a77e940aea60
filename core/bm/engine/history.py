"""What was promoted, as lists show it: each promotion with who, when, how long and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from core.bm.engine.journal import OPEN
from core.bm.versions import tables
from core.bm.versions.diff import Added, Change, Changed, Property, Removed, Renamed, Returned
from core.errors import Words


@dataclass(frozen=True, slots=True)
class Entry:
    """One promotion in a list; `seconds` is how long it took, or has taken so far."""

    id: int
    base: int | None
    target: int
    state: str
    back: bool
    by: str
    message: str
    error: Words | str | None
    started_on: datetime
    ended_on: datetime | None
    seconds: float
    done: int
    steps: int
    mends: bool                     # what drifted
    paused: bool                    # it rests until somebody lets it go on
    fault: Words | str | None       # what broke it off the last time, while it has not ended


@dataclass(frozen=True, slots=True)
class Live:
    """Since when a version is what people work on, and by which promotion."""

    version: int
    since: datetime
    by: str
    message: str
    promotion: int


def entries(connection: Connection, before: int | None = None, limit: int = 50) -> list[Entry]:
    """The promotions, newest first; with `before`, those that came before that one."""
    statement = _entries().order_by(tables.promotion.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(tables.promotion.c.id < before)
    return [_entry(row) for row in connection.execute(statement)]


def under_way(connection: Connection) -> Entry | None:
    """The promotion that has not ended."""
    row = connection.execute(_entries().where(tables.promotion.c.state.in_(OPEN))
                             .order_by(tables.promotion.c.id.desc()).limit(1)).one_or_none()
    return _entry(row) if row is not None else None


def live_since(connection: Connection, version: int) -> Live | None:
    """By which promotion a version became live the last time; None if that is not known."""
    promotion, step = tables.promotion, tables.step
    row = connection.execute(
        select(*promotion.c["id", "by_name", "message"], func.coalesce(step.c.ended_on, promotion.c.started_on)
               .label("since"))
        .join_from(promotion, step, (step.c.promotion_id == promotion.c.id) & (step.c.kind == "flip"))
        .where(promotion.c.target == version, step.c.state == "done")
        .order_by(promotion.c.id.desc()).limit(1)).one_or_none()
    return Live(version, row.since, row.by_name, row.message, row.id) if row is not None else None


def changes(connection: Connection, promotion: int) -> tuple[Change, ...]:
    """What a promotion was to change, as its plan said."""
    plan = connection.scalar(select(tables.promotion.c.plan).where(tables.promotion.c.id == promotion)) or {}
    return tuple(_changes(plan.get("changes", ())))


def answers(connection: Connection, promotion: int) -> dict[str, str]:
    """What people answered to the questions of its plan, by the key of the question."""
    return dict(connection.scalar(select(tables.promotion.c.plan["answers"]).where(
        tables.promotion.c.id == promotion)) or {})


def _entries() -> Select[Any]:
    promotion, step = tables.promotion, tables.step
    count = (select(func.count().label("steps"), func.count().filter(step.c.state == "done").label("done"),
                    func.bool_or(step.c.kind == "mend").label("mends"))
             .where(step.c.promotion_id == promotion.c.id).correlate(promotion).lateral())
    fault = (select(tables.fault.c.said).where(tables.fault.c.promotion_id == promotion.c.id,
                                               promotion.c.state.in_(OPEN)).correlate(promotion)
             .order_by(tables.fault.c.id.desc()).limit(1).scalar_subquery().label("fault"))
    return select(
        *promotion.c["id", "base", "target", "state", "by_name", "message", "error", "started_on", "ended_on"],
        promotion.c.plan["back"].as_boolean().label("back"),
        (promotion.c.paused.is_not(None) & promotion.c.state.in_(OPEN)).label("paused"),
        count.c.steps, count.c.done, count.c.mends, fault,
        func.extract("epoch", func.coalesce(promotion.c.ended_on, func.clock_timestamp()) - promotion.c.started_on)
        .label("seconds")).select_from(promotion.join(count, promotion.c.id > 0))


def _entry(row: Any) -> Entry:
    return Entry(row.id, row.base, row.target, row.state, bool(row.back), row.by_name, row.message or "", row.error,
                 row.started_on, row.ended_on, float(row.seconds), row.done, row.steps,
                 bool(row.mends), row.paused, row.fault)


def _changes(bodies: Iterable[Mapping[str, Any]]) -> Iterable[Change]:
    """Read changes back as a plan keeps them; those of a sort that is not known any more are left out."""
    for body in bodies:
        kind, name = body["kind"], body["name"]
        match body["change"]:
            case "added":
                yield Added(kind, name, body["body"])
            case "returned":
                yield Returned(kind, name, body["body"])
            case "removed":
                yield Removed(kind, name)
            case "renamed":
                yield Renamed(kind, body["was"], name)
            case "changed":
                yield Changed(kind, name, tuple(Property(**one) for one in body["properties"]))
