"""Steps that change the tables of records: columns, keys and indexes come, are checked, and are parked."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.bm.engine import journal
from core.bm.engine.run import LOOK, first_line
from core.bm.versions import tables
from core.bm.versions.state import State
from core.database import ddl
from core.ed.schema import kept_part, name_all, parts, stored_fields
from core.errors import N_, Refused, Words, words

if TYPE_CHECKING:
    from core.bm.engine.run import Run
    from core.bm.engine.steps import Step

# What PostgreSQL calls the phases of an index that is built beside the users, and what people do.
PHASES = {
    "initializing": N_("it begins"),
    "waiting for writers before build": N_("waits for transactions that were begun before it"),
    "building index": N_("reads the table"),
    "building index: initializing": N_("reads the table"),
    "building index: scanning table": N_("reads the table"),
    "building index: sorting live tuples": N_("sorts"),
    "building index: sorting dead tuples": N_("sorts"),
    "building index: loading tuples in tree": N_("writes the index"),
    "waiting for writers before validation": N_("waits for transactions that were begun before it"),
    "index validation: scanning index": N_("adds what was written meanwhile"),
    "index validation: sorting tuples": N_("adds what was written meanwhile"),
    "index validation: scanning table": N_("adds what was written meanwhile"),
    "waiting for old snapshots": N_("waits for older transactions to end"),
    "waiting for readers before marking dead": N_("waits for older transactions to end"),
    "waiting for readers before dropping": N_("waits for older transactions to end"),
}


def expand(run: Run, step: Step) -> None:
    """New columns of one table, in one short transaction with their names and the journal."""
    def note(connection: Connection) -> None:
        run.done(connection, step, note_physical(connection, run.order.target, step))
    run.short(step, step.sql, note)


def undo_expand(run: Run, step: Step) -> None:
    """Remove what a step made, and park again what it had brought back."""
    with run.line.connect() as connection:
        made = connection.scalar(select(tables.step.c.cursor).where(
            tables.step.c.promotion_id == run.turn.promotion, tables.step.c.number == step.number)) or {}

    def note(connection: Connection) -> None:
        key = tuple_(tables.physical.c.id, tables.physical.c.part)
        if made.get("new"):
            connection.execute(tables.physical.delete().where(key.in_([tuple(one) for one in made["new"]])))
        if made.get("back"):
            connection.execute(tables.physical.update().values(state="parked")
                               .where(key.in_([tuple(one) for one in made["back"]])))
        journal.step_undone(connection, run.turn, step)
    run.short(step, step.undo if run.states.get(step.number) == "done" else (), note, undo=True)


def note_physical(connection: Connection, target: State, step: Step) -> dict[str, list[tuple[int, str]]]:
    """Write down which columns hold the members of a step; those that are new, and those that were parked."""
    rows = [row for row in _physical_rows(connection, target) if row["id"] in step.identities]
    if not rows:
        return {}
    there = {(row.id, row.part): row.state for row in connection.execute(
        select(*tables.physical.c["id", "part", "state"]).where(tables.physical.c.id.in_(step.identities)))}
    keys = [(row["id"], row["part"]) for row in rows]
    statement = insert(tables.physical).values(rows)
    connection.execute(statement.on_conflict_do_update(
        index_elements=["id", "part"], set_={"state": "live", "changed_on": func.now()}))
    return {"new": [key for key in keys if key not in there],
            "back": [key for key in keys if there.get(key) == "parked"]}


def _physical_rows(connection: Connection, target: State) -> list[dict[str, Any]]:
    """The row of sys.physical for each table and column of a state."""
    if target.model is None:
        return []
    kept = {(row.id, row.part): (row.table_name, row.column_name) for row in connection.execute(
        select(*tables.physical.c["id", "part", "table_name", "column_name"]))}
    names = name_all(target.model, target.identities, kept, target.storages)
    types = {(target.storage(f"{field.table}.{field.name}"), kept_part(target.identities, field, part)): column_type
             for root in dict.fromkeys(table.root for table in target.model.tables.values())
             for field in stored_fields(target.model, root) for part, column_type in parts(field)}
    return [{"id": storage, "part": part, "table_name": table, "column_name": column,
             "type": types.get((storage, part), "table"), "state": "live"}
            for (storage, part), (table, column) in names.items()]


def index(run: Run, step: Step) -> None:
    """Build an index beside the users; a broken one of an earlier try goes first, and after a failure."""
    name = step.probe.names[0] if step.probe else ""
    with run.line.connect() as connection:
        valid = ddl.valid_index(connection, name)
    if not valid:
        if valid is False:
            _concurrently(run, step, ddl.drop_index(name, concurrently=True), undo=True)
        try:
            _concurrently(run, step, step.sql[0])
        except DBAPIError as error:
            _concurrently(run, step, ddl.drop_index(name, concurrently=True), undo=True)
            raise Refused("{name}: the index cannot be made: {reason}", name=step.target,
                          reason=_reason(error)) from error
    with run.begin() as connection:
        if valid:
            journal.found_done(connection, run.turn, step, step.sql[0])
        run.done(connection, step)


def undo_index(run: Run, step: Step) -> None:
    """Remove an index, whole or broken."""
    for statement in step.undo:
        _concurrently(run, step, statement, undo=True)
    with run.begin() as connection:
        journal.step_undone(connection, run.turn, step)


def validate(run: Run, step: Step) -> None:
    """Check the old rows; the lock is one that keeps nobody from working. Raises Refused where they do not hold."""
    try:
        run.short(step, step.sql, lambda connection: run.done(connection, step))
    except IntegrityError as error:
        detail = getattr(getattr(error.orig, "diag", None), "message_detail", None)
        raise Refused("{name}: old records do not keep what counts for all that is written from now on: {reason}",
                      name=step.target, reason=detail or first_line(error)) from error


def loosen(run: Run, step: Step) -> None:
    """Take away what the target does not keep."""
    _each(run, step, step.sql)
    with run.begin() as connection:
        run.done(connection, step)


def undo_loosen(run: Run, step: Step) -> None:
    """Make again what was taken away."""
    _each(run, step, step.undo, undo=True)
    with run.begin() as connection:
        journal.step_undone(connection, run.turn, step)


def park(run: Run, step: Step) -> None:
    """Mark what is hidden from now on; indexes and conditions that nothing asks for go."""
    _each(run, step, step.sql)
    with run.begin() as connection:
        connection.execute(tables.physical.update().values(state="parked", changed_on=func.now())
                           .where(tables.physical.c.id.in_(step.identities)))
        run.done(connection, step)


def mend(run: Run, step: Step) -> None:
    """Bring back what drifted: an index, or by one statement, or a mark that a column is in use."""
    if step.probe is not None:
        index(run, step)
        return

    def note(connection: Connection) -> None:
        if step.identities:
            connection.execute(tables.physical.update().values(state="live", changed_on=func.now())
                               .where(tables.physical.c.id.in_(step.identities)))
        run.done(connection, step)
    run.short(step, step.sql, note)


def _each(run: Run, step: Step, statements: Iterable[str], undo: bool = False) -> None:
    """Statements one after the other: those of indexes beside the users, others in a short transaction each."""
    for statement in statements:
        if "concurrently" in statement.lower().split()[:4]:
            _concurrently(run, step, statement, undo)
        else:
            run.short(step, (statement,), undo=undo)


def undo_short(run: Run, step: Step) -> None:
    """What most steps need: their own statements the other way round, in one short transaction."""
    run.short(step, step.undo, lambda connection: journal.step_undone(connection, run.turn, step), undo=True)


def _concurrently(run: Run, step: Step, statement: str, undo: bool = False) -> None:
    """Run a statement that may take long and that no transaction may hold; cancelling the promotion ends it."""
    with run.line.connect() as connection:
        backend = connection.scalar(text("select pg_backend_pid()"))
    found: list[ddl.Ran | BaseException] = []

    def work() -> None:
        try:
            found.append(ddl.run_concurrently(run.line, statement))
        except BaseException as error:
            found.append(error)
    thread = threading.Thread(target=work, name="tessera-index", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(LOOK)
            if thread.is_alive():
                _watch(run, step, backend, undo)
    except BaseException:
        with run.engine.connect() as connection:
            connection.execute(text("select pg_cancel_backend(:pid)"), {"pid": backend})
        thread.join()
        raise
    done = found[0]
    if isinstance(done, BaseException):
        raise done
    with run.begin() as connection:
        run.ran(step, connection, done, undo=undo)


def _watch(run: Run, step: Step, backend: int, undo: bool) -> None:
    """Note how far PostgreSQL is with an index, and whom it waits for; obey what people ask."""
    if undo:
        run.leave()
        return
    with run.engine.begin() as connection:
        run.obey(connection)
        seen = connection.execute(text(
            "select phase, lockers_done, lockers_total, blocks_done, blocks_total from pg_stat_progress_create_index"
            " where pid = :pid"), {"pid": backend}).one_or_none()
        if seen is None:
            return
        phase: Words = words(PHASES.get(seen.phase, seen.phase))
        if seen.lockers_total:
            phase = words("{phase}: {done} of {total}", phase=phase, done=seen.lockers_done, total=seen.lockers_total)
        journal.step_waits(connection, run.turn, step, phase, seen.blocks_done, seen.blocks_total or None)


def _reason(error: DBAPIError) -> Words | str:
    """What PostgreSQL says against an index, in the words of those who made two records equal."""
    detail = getattr(getattr(error.orig, "diag", None), "message_detail", None)
    if isinstance(error, IntegrityError) and detail:
        return words("two records are equal in what is to be unique ({detail})", detail=detail)
    return first_line(error)
