"""The journal of promotions: what was to be done, what is, and who wanted it. Each step is written with its work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from core.bm import tables
from core.bm.state import State
from core.bm.steps import Plan, Step, step_from_json


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A promotion whose target is live already and that has steps left."""

    id: int
    target: int
    steps: tuple[Step, ...]


def begin(connection: Connection, plan: Plan, base: int | None, target: int, message: str, account: int | None) -> int:
    """Open a promotion with all its steps waiting; gives its number."""
    row = {"base": base, "target": target, "plan": plan.as_json(), "plan_hash": plan.hash, "state": "running",
           "message": message, "by_account": account}
    number = connection.execute(tables.promotion.insert().values(row).returning(tables.promotion.c.id)).scalar_one()
    connection.execute(tables.step.insert(), [
        {"promotion_id": number, "number": step.number, "kind": step.kind, "target": step.target,
         "sql": ";\n".join(step.sql), "state": "waiting"} for step in plan.steps])
    return int(number)


def step_started(connection: Connection, promotion: int, step: Step) -> None:
    """Note that a step is under way."""
    _set_step(connection, promotion, step, state="running", started_on=func.clock_timestamp(), error=None)


def step_done(connection: Connection, promotion: int, step: Step) -> None:
    """Note that a step is done, in the transaction that does it."""
    _set_step(connection, promotion, step, state="done", ended_on=func.clock_timestamp(),
              started_on=func.coalesce(tables.step.c.started_on, func.clock_timestamp()), error=None)


def _set_step(connection: Connection, promotion: int, step: Step, **values: Any) -> None:
    connection.execute(tables.step.update().values(values).where(
        tables.step.c.promotion_id == promotion, tables.step.c.number == step.number))


def set_state(connection: Connection, promotion: int, state: str, error: str | None = None) -> None:
    """Move a promotion: running, preparing, flipped, done, failed, abandoned."""
    ended = {"ended_on": func.clock_timestamp()} if state in ("done", "failed", "abandoned") else {}
    connection.execute(tables.promotion.update().values(state=state, error=error, **ended)
                       .where(tables.promotion.c.id == promotion))


def abandon_broken(connection: Connection) -> None:
    """Close promotions that ended without a word before their flip; the lock is ours, so nobody runs them."""
    connection.execute(tables.promotion.update()
                       .values(state="abandoned", ended_on=func.now(), error="the process that ran it ended")
                       .where(tables.promotion.c.state.in_(("running", "preparing"))))


def unfinished(connection: Connection) -> Unfinished | None:
    """The promotion that went live and has steps left, if there is one."""
    row = connection.execute(select(*tables.promotion.c["id", "target", "plan"])
                             .where(tables.promotion.c.state == "flipped")
                             .order_by(tables.promotion.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    done = set(connection.scalars(select(tables.step.c.number).where(
        tables.step.c.promotion_id == row.id, tables.step.c.state == "done")))
    steps = tuple(step_from_json(step) for step in row.plan["steps"])
    return Unfinished(row.id, row.target, tuple(step for step in steps if step.number not in done))


def add_members(connection: Connection, state: State) -> None:
    """Reserve the identities of a staged version; those that were never there are new until it is live."""
    known = set(connection.scalars(select(tables.member.c.id)))
    rows = [{"id": identity, "path": path, "meaning": state.meaning(path), "state": "new"}
            for path, identity in state.identities.items() if identity not in known]
    if rows:
        connection.execute(tables.member.insert(), rows)


def name_members(connection: Connection, identities: Mapping[str, int], meanings: Mapping[str, str]) -> None:
    """After a flip: what the version has is live under its names, the rest is parked under its last one."""
    there = {row.id: row for row in connection.execute(select(tables.member))}
    for path, identity in identities.items():
        row = there.get(identity)
        if row is not None and (row.path, row.meaning, row.state) != (path, meanings[path], "live"):
            connection.execute(tables.member.update().values(
                path=path, meaning=meanings[path], state="live", changed_on=func.now())
                .where(tables.member.c.id == identity))
    gone = [identity for identity, row in there.items()
            if row.state == "live" and identity not in set(identities.values())]
    if gone:
        connection.execute(tables.member.update().values(state="parked", changed_on=func.now())
                           .where(tables.member.c.id.in_(gone)))


def left_over(connection: Connection) -> list[int]:
    """Identities of promotions that broke off before their flip: nobody ever wrote to their columns."""
    return list(connection.scalars(select(tables.member.c.id).where(tables.member.c.state == "new")))


def forget_members(connection: Connection, identities: Iterable[int]) -> None:
    """Remove left-over members with the rows of their columns."""
    wanted = list(identities)
    connection.execute(tables.physical.delete().where(tables.physical.c.id.in_(wanted)))
    connection.execute(tables.member.delete().where(tables.member.c.id.in_(wanted)))
