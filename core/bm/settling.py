"""Beginning a promotion, and settling one that broke off: whoever comes next takes it to its end, or takes it back.

All that is needed is in the database: the plan, both versions, how far each step is. After the flip a promotion is
always finished. Before it, it goes on if it is still wanted and still fits what is there; otherwise it is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from core.bm.actions import ACTIONS
from core.bm.changes import renamed
from core.bm.drift import findings as drift
from core.bm.engine import altering, faults, journal, lock, permission, processes, wishes
from core.bm.engine.journal import Open, Turn
from core.bm.engine.run import Fill, Order, Run, Say, Stop, first_line, never, silent
from core.bm.engine.steps import Plan
from core.bm.inputs import facts as fact_module
from core.bm.inputs.facts import Facts
from core.bm.switching import flip_in
from core.bm.versions import live, members
from core.bm.versions.state import EMPTY
from core.database import ddl
from core.ed.schema import REQUIRED
from core.errors import Refused, TesseraError, Words, joined, words
from core.plugins import Plugins

CONSTRAINTS = ("fk_", "ck_", REQUIRED)  # what names of constraints begin with; others are of indexes
Wanted = Callable[[str], bool]          # whether the version with that hash is still to become live


def always(target: str) -> bool:
    """Whoever only settles wants what was wanted."""
    return True


def nothing(target: str) -> bool:
    """What is not live yet is not wanted any more."""
    return False


# A new one

def apply(engine: Engine, order: Order, say: Say = silent, stop: Stop = never) -> int:
    """Make the target live; gives the number of its version. Raises Refused, and what a step raises.

    Refused when the plan has problems or questions, or no longer fits what is live, or while another promotion runs.
    """
    if _nothing_to_do(order):
        return order.base.version or 0
    with lock.holding(engine, order.author) as line:
        _check_still_fits(line, order)
        if not order.base.hash and not _records_exist(line):
            return _all_at_once(line, engine, order, say)
        with line.begin() as connection:
            promotion, version = stage(connection, order)
            turn = journal.take(connection, promotion)
        with faults.kept(line, turn):
            Run(line, engine, ACTIONS, order, turn, version, say, stop).all()
    return version


def begin(engine: Engine, order: Order, after: Callable[[Connection, int], object]) -> int | None:
    """Write a promotion down for another process to run; its number, None where there is nothing to do.

    `after` is called with the number in the same transaction. Raises Refused as `apply` does.
    """
    if _nothing_to_do(order):
        return None
    with lock.holding(engine, order.author) as line:
        _check_still_fits(line, order)
        with line.begin() as connection:
            promotion, _ = stage(connection, order, waiting=True)
            after(connection, promotion)
    return promotion


def apply_beside(engine: Engine, order: Order, say: Say = silent) -> int:
    """Carry out a plan under which the live version stays; gives the number of its journal. It is always finished.

    Raises Refused when it no longer fits what is there, or while another promotion runs.
    """
    with lock.holding(engine, order.author) as line:
        with line.begin() as connection:
            journal.must_be_idle(connection)
            if (live.current(connection)[0], fact_module.gather(connection).fingerprint) != \
                    (order.base.version, order.plan.fingerprint):
                raise Refused("the tables of the records changed since the plan was made; plan again")
            version = order.base.version or 0
            number = journal.begin(connection, order.plan, version, version, order.message, order.account, order.author,
                                   duty=order.duty)
            turn = journal.take(connection, number)
            stage = order.plan.steps[0]
            journal.step_done(connection, turn, stage)
            journal.set_state(connection, turn, "flipped")
        with faults.kept(line, turn):
            Run(line, engine, ACTIONS, order, turn, version, say, states={stage.number: "done"}).after()
    return number


def _nothing_to_do(order: Order) -> bool:
    if order.plan.problems:
        raise Refused("\n".join(map(str, order.plan.problems)))
    if order.plan.questions:
        raise Refused("this plan asks questions; answer them first")
    return order.plan.empty


def stage(connection: Connection, order: Order, waiting: bool = False) -> tuple[int, int]:
    """Write the version, its identities and the journal; the numbers of the promotion and of the version."""
    if order.what is None:
        version = order.target.version or 0
    else:
        version = live.store(connection, order.what, order.target.identities, order.base.version,
                             order.message, order.author, order.target.storages)
    members.add(connection, order.target)
    renamed.note(connection, order.base, order.target, order.plan.answers)
    promotion = journal.begin(connection, order.plan, order.base.version, version, order.message, order.account,
                              order.author, waiting, order.folder, order.duty)
    staged = next(step for step in order.plan.steps if step.kind == "stage")
    journal.step_done(connection, Turn(promotion, 0), staged)
    return promotion, version


def _check_still_fits(line: Engine, order: Order) -> None:
    with line.connect() as connection:
        found = journal.unfinished(connection)
        if found is not None:
            raise under_way(found)
        version, _ = live.current(connection)
        if version != (order.base.version or 0):
            raise Refused("someone else promoted meanwhile; plan again")
        facts = fact_module.gather(connection)
        if order.base.hash and facts.after != order.plan.after:
            raise Refused("someone else promoted meanwhile; plan again")
        drifted = drift.stopping(connection, order.base, facts)
        if drifted:
            raise Refused("somebody changed the database by hand since the plan was made: {drift}",
                          drift=joined(drifted, "\n"))
        if facts.fingerprint != order.plan.fingerprint:
            raise Refused("the tables of the records changed since the plan was made; plan again")


def _records_exist(line: Engine) -> bool:
    with line.connect() as connection:
        return connection.scalar(text(
            "select 1 from pg_class where relnamespace = 'ed'::regnamespace and relkind = 'r' limit 1")) is not None


def _all_at_once(line: Engine, engine: Engine, order: Order, say: Say) -> int:
    """The first promotion: nobody works yet, so the same steps make one transaction, and seeds come after it."""
    with line.begin() as connection:
        promotion, version = stage(connection, order)
        run = Run(line, engine, ACTIONS, order, journal.take(connection, promotion), version, say)
        for step in order.plan.steps:
            if step.kind in ("expand", "index", "validate", "tighten", "park"):
                say(step)
                for statement in step.sql:
                    run.ran(step, connection, ddl.timed(connection, statement))
            if step.kind not in ("stage", "flip", "seed"):
                run.done(connection, step, altering.note_physical(connection, order.target, step))
                run.states[step.number] = "done"
        flip_in(run, connection, next(step for step in order.plan.steps if step.kind == "flip"))
    with faults.kept(line, run.turn):
        run.after()
    return version


# One that broke off

def settle(engine: Engine, fill: Fill, plugins: Plugins, author: str = "", say: Say = silent, *,
           wanted: Wanted = always, stop: Stop = never, patient: bool = True) -> int | None:
    """End the promotion that nobody runs any more; its number, or None if there is none to end.

    Not `patient`: what rests, or is run by somebody, is left alone. Otherwise raises Refused for it; and what only a
    busy table or a fault had stopped is tried again at once.
    """
    with engine.connect() as connection:
        found = journal.unfinished(connection)
        if found is None or (not patient and (_rests(connection, found) or lock.held(connection))):
            return None
        if patient:
            _refuse_of_others(connection, found)
    with lock.holding(engine, author) if patient else lock.if_free(engine, author) as line:
        if line is None:
            return None
        with line.connect() as connection:
            found = journal.unfinished(connection)
        if found is None:
            return None
        _end(line, engine, found, fill, plugins, say, stop, wanted)
    return found.id


def _rests(connection: Connection, found: Open) -> bool:
    """Whether somebody paused it, or a busy table did and nobody asked to go on since, or a fault for some time."""
    asked = wishes.last(connection, found.id)
    if asked is not None and asked.wish == "pause":
        return True
    fault = faults.last(connection, found.id)
    if fault is not None and fault.waits and not (asked is not None and asked.wish == "cancel" and not found.flipped):
        return True
    if not found.paused:
        return False
    return asked is None or asked.on < datetime.fromisoformat(found.paused["since"])


def _refuse_of_others(connection: Connection, found: Open) -> None:
    """What a person paused is theirs, and what a page began is the work process's."""
    asked = wishes.last(connection, found.id)
    if asked is not None and asked.wish == "pause":
        raise Refused("promotion {number} was paused by {name}; `promotions --continue {number}` goes on with it, "
                      "`promotions --cancel {number}` takes it back", number=found.id, name=asked.by)
    if found.state == "waiting" and processes.work_is_alive(connection):
        raise under_way(found)


def under_way(found: Open) -> Refused:
    """The refusal of a second promotion."""
    return Refused("another promotion is under way: number {number} by {name}; wait until it has ended, or see "
                   "`promotions`", number=found.id, name=found.by_name or words("the command line"))


def _end(line: Engine, engine: Engine, found: Open, fill: Fill, plugins: Plugins, say: Say, stop: Stop,
         wanted: Wanted) -> None:
    with line.begin() as connection:
        turn = journal.take(connection, found.id)
    with faults.kept(line, turn):
        with line.begin() as connection:
            order, why = _order(connection, found, fill, plugins, wanted)
        run = Run(line, engine, ACTIONS, order, turn, found.target, say, stop, found.states)
        run.flipped = found.flipped
        if found.state == "undoing":
            run.undo(found.ends_as or "abandoned", found.error or "")
        elif why:
            run.undo("abandoned", why)
        else:
            if found.state == "waiting":
                with run.begin() as connection:
                    journal.set_state(connection, turn, "running")
            run.all()


def _order(connection: Connection, found: Open, fill: Fill, plugins: Plugins,
           wanted: Wanted) -> tuple[Order, Words | str]:
    """What a broken-off promotion was to do, and why it is not done any more; "" if it is."""
    plan = Plan(found.plan["base"], found.plan["target"], found.plan["fingerprint"], steps=found.steps)
    bare = Order(plan, EMPTY, EMPTY, None, fill, found.message, found.by_name)
    if found.state == "undoing":
        return bare, ""
    if not found.flipped and (why := _unfit(connection, found, wanted)):
        return bare, why
    if not (found.flipped and found.begun) and (why := permission.refusal(connection, found, plugins)):
        return bare, why
    try:
        base, target = (live.state(connection, version, plugins) for version in (found.base, found.target))
    except TesseraError as error:
        if found.flipped:
            raise
        return bare, first_line(error)
    return replace(bare, base=base, target=target), ""


def _unfit(connection: Connection, found: Open, wanted: Wanted) -> Words | str:
    """Why a promotion does not go on that broke off before its flip; "" if it does."""
    if not wanted(found.plan["target"]):
        return words("the process that ran it ended")
    if live.current(connection)[0] != (found.base or 0):
        return words("someone else promoted meanwhile")
    if without(fact_module.gather(connection), found).fingerprint != found.plan["fingerprint"]:
        return words("the tables of the records changed since the plan was made")
    return ""


def without(facts: Facts, found: Open) -> Facts:
    """The facts as they were before the steps of a promotion that are done: what these made is not there yet."""
    begun = [step for step in found.steps if found.states[step.number] in ("running", "done")]
    physical, columns = dict(facts.physical), {name: dict(there) for name, there in facts.columns.items()}
    indexes, constraints = dict(facts.indexes), dict(facts.constraints)
    parked_columns = set(facts.parked_columns)
    for step in begun:
        made: Mapping[str, Any] = found.cursors.get(step.number) or {} if step.kind == "expand" else {}
        for key in map(tuple, made.get("new", ())):
            physical.pop(key, None)
        parked_columns.update(map(tuple, made.get("back", ())))
        if step.probe is None:
            continue
        table, names = step.probe.table, step.probe.names
        if step.probe.what == "columns" and "id" in names:
            columns.pop(table, None)
            indexes = {name: one for name, one in indexes.items() if one[0] != table}
            constraints = {name: one for name, one in constraints.items() if one[0] != table}
        elif step.probe.what == "columns":
            columns[table] = {name: type_ for name, type_ in columns.get(table, {}).items() if name not in names}
        elif step.probe.what == "gone":
            for name in names:
                (constraints if name.startswith(CONSTRAINTS) else indexes)[name] = (table, True)
        else:
            for name in names:
                indexes.pop(name, None)
                constraints.pop(name, None)
    return replace(facts, physical=physical, columns=columns, indexes=indexes, constraints=constraints,
                   parked_columns=frozenset(parked_columns))
