"""Promotions made up one after the other over a live system, each compared with what its edits say it must give."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Set
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from core.bm import service
from core.bm.drift import findings as drift
from core.bm.engine import history, journal
from core.bm.inputs.questions import Question
from core.bm.service import Planned
from core.bm.versions import live
from core.bm.versions.canonical import canonical
from core.database import engine as engines
from core.ed import versions
from core.ed.exporting import Wanted, export, format_of
from core.ed.records import Records
from core.ed.search_index import index_queue
from core.errors import Invalid, NotFound
from core.settings import Settings
from tests.core.bm.conftest import Live
from tests.core.bm.generated import values as made
from tests.core.bm.generated.definitions import Definitions, Field, Table, first
from tests.core.bm.generated.edits import Draft, Values, drafts, follow
from tests.core.bm.sites import Site

Snapshot = dict[int, tuple[Any, dict[str, Any]]]        # by record: when it was changed, and its fields by name
LEFT = {
    "triggers": "select tgname from pg_trigger where tgname ~ '^(fill|move)_'",
    "marks": "select * from sys.touched",
    "broken indexes": "select indexrelid::regclass from pg_index where not indisvalid",
    "constraints not checked": "select conname from pg_constraint where not convalidated and conname not like '%_years'",
    "formulas to be computed": "select id from sys.physical where pending",
    "promotions not ended": "select id, state, error from bm.promotion where state <> 'done'",
    "steps not done": "select promotion_id, number, kind, state from bm.step where state <> 'done'"}


@dataclass
class Walk:
    """A live system, its definitions, and what each record must hold."""

    live: Live
    choice: random.Random
    defs: Definitions = field(default_factory=first)
    values: Values = field(default_factory=dict)
    of: dict[int, int] = field(default_factory=dict)
    removed: list[tuple[int, Field]] = field(default_factory=list)
    promoted: int = 0
    refused: int = 0
    log: list[str] = field(default_factory=list)

    def begin(self, records: int) -> None:
        """The first promotion, and records of every table."""
        self.write(self.defs)
        self.live.promote(message="First")
        for _ in range(records):
            self.create()
        for _ in range(records):
            self.change()

    # Definitions and records

    def write(self, defs: Definitions) -> None:
        """The files of definitions, and no others."""
        folder, files = self.live.site.metadata, defs.files()
        for path in folder.glob("*.yaml"):
            if path.name not in files:
                path.unlink()
        for name, content in files.items():
            self.live.site.write(name, content)

    def create(self) -> None:
        """One more record."""
        table = self.choice.choice([*self.defs.tables.values()])
        given = {one.name: made.make(self.choice, self.defs, one, self.of) for one in made.stored_of(table, self.defs)
                 if not one.computed and one.type != "state"
                 and (one.body.get("required") or one.name == "name" or self.choice.random() < 0.7)}
        try:
            id_ = self.live.create(table.name, **given)
        except Invalid:
            return
        self.of[id_] = table.id
        self.values[id_] = {}
        self.adopt(id_, table, [one.id for one in self.defs.all_fields(table)])

    def change(self) -> None:
        """A record gets another value or several."""
        if not self.of:
            return
        id_ = self.choice.choice([*self.of])
        table = self.defs.tables.get(self.of[id_])
        fields = [one for one in made.stored_of(table, self.defs) if not one.computed] if table else []
        chosen = self.choice.sample(fields, min(len(fields), self.choice.randrange(1, 4)))
        given = {one.name: made.make(self.choice, self.defs, one, self.of) if self.choice.random() < 0.85 else None
                 for one in chosen if one.type != "state"}
        if table is None or not given:
            return
        try:
            self.live.records(lambda records: records.update(table.name, [{"id": id_, **given}]))
        except Invalid:
            return
        self.adopt(id_, table, [one.id for one in chosen])

    def adopt(self, id_: int, table: Table, numbers: list[int]) -> None:
        """What was written counts, as it is read."""
        found = self.live.read(table.name, id_)
        for one in made.stored_of(table, self.defs):
            if one.id in numbers:
                self.values[id_][one.id] = made.read(found[one.name])

    def snapshot(self) -> Snapshot:
        """All that is read of all records."""
        found: Snapshot = {}
        for table in self.defs.tables.values():
            ids = [id_ for id_, of in self.of.items() if of == table.id]
            names = [one.name for one in made.stored_of(table, self.defs)]
            rows = self.live.records(partial(_read, table.name, ids, [*names, "changed_on"])) if ids else ()
            for row in rows:
                found[row["id"]] = ((row["_version"], row["changed_on"]), {name: made.read(row[name]) for name in names})
        return found

    # One round

    def round(self, most: int = 5) -> None:
        """A few edits promoted, taken back, promoted again; some of them with people at work in between."""
        draft = next(drafts(self.defs, self.values, self.of, self.removed, self.choice, most))
        self.log.append(f"round {self.promoted + self.refused}: " + "; ".join(draft.done))
        before, was = self.snapshot(), (self.defs, deepcopy(self.values), deepcopy(self.removed))
        self.write(draft.new)
        planned = self.plan(draft)
        if planned is None:
            self.refused += 1
            assert self.snapshot() == before
            self.write(self.defs)
            assert self.live.plan().plan.empty
            return
        self.live.promote(planned=planned)
        self.promoted += 1
        self.defs, self.values, self.removed = draft.new, draft.values, draft.removed
        self.compare(before)
        self.sound()
        after = self.snapshot()
        there = self.live.version
        how = self.choice.random()
        if how < 0.35:
            return
        wrote = how > 0.6 and self.people()
        written = self.snapshot()
        if self.back(bool(wrote)):
            now = self.of_version(was[0], lambda: self.snapshot())
            untouched = {id_ for id_ in before if written.get(id_) == after.get(id_)} if wrote else set(before)
            filled = {one.name for table in was[0].tables.values() for one in table.fields if one.id in draft.filled}
            self.same(now, before, untouched, "after the way back", filled)
            self.kept(written, now, was[0], draft)
            self.sound(of_folder=False)
            if how > 0.9:                               # it stays so
                last = self.defs.last
                self.defs, self.removed = was[0].copy(), was[2]
                self.defs.last, self.values = last, was[1]
                self.of = {id_: of for id_, of in self.of.items() if of in self.defs.tables}
                self.values = {id_: self.values.get(id_, {}) for id_ in self.of}
                for id_, of in self.of.items():
                    table = self.defs.tables[of]
                    self.adopt(id_, table, [one.id for one in self.defs.all_fields(table)])
                self.write(self.defs)
                assert self.live.plan().plan.empty
                return
            self.live.promote()
            assert self.live.version == there
            self.same(self.snapshot(), written, set(written), "promoted again")
            self.sound()

    def plan(self, draft: Draft) -> Planned | None:
        """The plan with all questions answered; None where it is refused for what the oracle expects."""
        answers: dict[str, str] = {}
        while True:
            planned = self.live.plan(answers=answers)
            plan = planned.plan
            if plan.problems:
                allowed = "|".join(draft.refusals) or "(?!)"
                assert all(re.search(allowed, str(one)) for one in plan.problems), "\n".join(map(str, plan.problems))
                return None
            if not plan.questions:
                break
            for question in plan.questions:
                answers[question.key] = self.answer(draft, question)
                self.log.append(f"    {question.key}: {answers[question.key]}")
        for id_, of in self.of.items():
            if of in draft.new.tables:
                self.turn(draft, id_, draft.new.tables[of], answers)
        again = self.live.plan(answers=answers)
        one, other = (replace(found.plan, steps=tuple(replace(step, rows=0, seconds=0.0) for step in found.plan.steps)
                              ).as_json() for found in (again, planned))       # the database's estimates come late
        assert canonical(one) == canonical(other), [(one[key], other[key]) for key in one if one[key] != other[key]]
        return planned

    def answer(self, draft: Draft, question: Question) -> str:
        """What somebody says to a question; the values of the draft follow."""
        word, _, path = question.key.partition(" ")
        owner, _, name = path.partition(".")
        if word == "rename":
            return draft.said.get(question.key, "new")
        if word == "choices":
            of = next(one for one in draft.new.choices.values() if one.name == owner)
            said = self.choice.choice(["keep", *of.values])
            if said != "keep":
                follow(draft, of, {name: said})
            return said
        table = next(one for one in draft.new.tables.values() if one.name == owner)
        one = next(one for one in draft.new.all_fields(table) if one.name == name)
        if word == "convert":
            return self.choice.choice(["empty", "5" if one.type in ("integer", "decimal", "money") else "empty"])
        literal = {"text": "said", "integer": "9", "boolean": True, "memo": "said"}.get(one.type)
        if literal is None or self.choice.random() < 0.4:
            return "leave"
        there = {below.id for below in draft.old.below(draft.old.tables[table.id])} if table.id in draft.old.tables else ()
        for id_ in draft.records(table):            # a table that comes under it is asked for by itself
            if draft.of[id_] in there and draft.values[id_].get(one.id) is None:
                draft.values[id_][one.id] = int(literal) if one.type == "integer" else literal
        return "yes" if literal is True else str(literal)

    def turn(self, draft: Draft, id_: int, table: Table, answers: Mapping[str, str]) -> None:
        """The values of fields that get another type."""
        for one in draft.new.all_fields(table):
            before = draft.retyped.get(one.id)
            if before is None:
                continue
            holder = draft.new.field(one.id)[0]
            value = draft.values[id_].get(one.id)
            if value is made.UNKNOWN:
                continue
            try:
                draft.values[id_][one.id] = made.converted(value, before, one, draft.old, draft.new)
            except ValueError:
                said = answers.get(f"convert {holder.name}.{one.name}", "empty")
                draft.values[id_][one.id] = None if said == "empty" else int(said)

    def people(self) -> int:
        """What people do while a version is live."""
        for _ in range(4):
            self.change()
        for _ in range(2):
            self.create()
        return 1

    def back(self, wrote: bool) -> bool:
        """The way back; False where it is refused for what was written meanwhile."""
        planned = service.plan_rollback(self.live.settings, self.live.engine, plugins=self.live.plugins)
        assert not planned.plan.questions
        if planned.plan.problems:
            assert wrote and all("cannot be unique" in str(one) for one in planned.plan.problems), planned.plan.problems
            return False
        self.live.rollback()
        return True

    def of_version(self, defs: Definitions, work: Any) -> Any:
        """Run something as if those definitions were the walk's."""
        now, self.defs = self.defs, defs
        try:
            return work()
        finally:
            self.defs = now

    # What must hold

    def compare(self, before: Snapshot) -> None:
        """Every value is what the oracle says, and nobody seems to have changed a record."""
        for id_, (changed_on, row) in self.snapshot().items():
            table = self.defs.tables[self.of[id_]]
            assert id_ not in before or before[id_][0] == changed_on, f"{table.name} {id_} was changed"
            for one in made.stored_of(table, self.defs):
                if one.computed:
                    wanted = made.product(self.values[id_].get(one.body["formula"]), one.body["times"])
                else:
                    wanted = self.values[id_].get(one.id)
                if wanted is made.UNKNOWN or (wanted is None and one.type == "state"):
                    self.values[id_][one.id] = row[one.name]
                    continue
                there = row[one.name]
                assert _alike(there, wanted), f"{table.name} {id_}: {one.name} is {there!r}, not {wanted!r}"

    def same(self, now: Snapshot, then: Snapshot, ids: set[int], when: str,
             filled: Set[str] = frozenset()) -> None:
        """Records are as they were, to the letter; fields that were filled where they were empty may stay so."""
        for id_ in ids:
            assert id_ in now, f"{when}: {id_} is gone"
            there = {name: None if name in filled and then[id_][1][name] is None else value
                     for name, value in now[id_][1].items()}
            assert (now[id_][0], there) == then[id_], f"{when}: record {id_}: " + ", ".join(
                f"{name} is {now[id_][1].get(name)!r}, was {value!r}" for name, value in then[id_][1].items()
                if now[id_][1].get(name) != value)

    def kept(self, written: Snapshot, now: Snapshot, defs: Definitions, draft: Draft) -> None:
        """What people wrote in fields that both versions have alike is there in the older one."""
        for id_, (_, row) in written.items():
            if id_ not in now:
                continue
            table, older = self.defs.tables[self.of[id_]], defs.tables.get(self.of[id_])
            alike = {one.id: one for one in made.stored_of(older, defs)} if older is not None else {}
            for one in made.stored_of(table, self.defs):
                if one.id in alike and one.id not in draft.touched and not one.computed and not (
                        {one.body.get("of")} & draft.touched):
                    was = alike[one.id].name
                    assert now[id_][1][was] == row[one.name], f"{table.name} {id_}: {was} lost {row[one.name]!r}"

    def sound(self, of_folder: bool = True) -> None:
        """Database, journal and versions agree, and nothing is left over."""
        for what, statement in LEFT.items():
            there = self.live.sql(statement)
            assert there == [], f"{what}: {there}"
        found = drift.drift(self.live.settings, self.live.engine, self.live.plugins).findings
        assert [one for one in found if of_folder or one.view != "folder"] == []
        if of_folder:
            assert self.live.plan().plan.empty
        for table in self.defs.tables.values() if of_folder else ():
            self.listed(table)
        with self.live.engine.connect() as connection:
            newest = history.entries(connection, limit=1)[0]
            assert newest.state == "done" and newest.done == newest.steps
            assert journal.progress(connection, newest.id) and history.changes(connection, newest.id) is not None

    def listed(self, table: Table) -> None:
        """Lists have every record, in any order, and find each by its values."""
        ids = {id_ for id_, of in self.of.items() if self.defs.tables.get(of) in self.defs.below(table)}
        orders = [one.name for one in made.stored_of(table, self.defs) if one.type in (
            "text", "integer", "decimal", "date", "choice", "link")and not one.many and "to" not in one.body]
        rows = self.live.records(lambda records: records.page(
            table.name, ["name"], order=[self.choice.choice(orders)], limit=1000).records)
        assert {row["id"] for row in rows} == ids, table.name
        some = [id_ for id_ in ids if self.of[id_] == table.id]
        if not some:
            return
        id_ = self.choice.choice(some)
        row = self.live.read(table.name, id_)
        for name in orders:
            if row[name] is not None:
                found = self.live.records(lambda records, name=name: records.page(
                    table.name, ["name"], filters={name: row[name]}, limit=1000).records)
                assert id_ in {one["id"] for one in found}, f"{table.name}.{name} = {row[name]!r}"

    def finish(self) -> None:
        """History, earlier states of records, search and exports work on what all of it came to."""
        with self.live.engine.begin() as connection:
            index_queue(connection, live.system(connection, self.live.version, self.live.plugins), 10_000)
        for id_, of in self.of.items():
            table = self.defs.tables.get(of)
            if table is not None:
                self.live.records(lambda records, t=table, i=id_: records.history(t.name, i))
                version = self.live.read(table.name, id_)["_version"] if table.keeps else 0
                for number in range(1, version):
                    with suppress(NotFound):        # of a time when history was not kept
                        self.live.records(lambda records, t=table, i=id_, n=number: versions.past(
                            records.session, t.name, i, n))
        self.live.records(lambda records: records.search("Ann"))
        for table in self.defs.tables.values():
            count = self.live.records(partial(_export, table.name))
            assert count == sum(self.defs.tables.get(of) in self.defs.below(table) for of in self.of.values())


def _read(table: str, ids: list[int], names: list[str], records: Records) -> Any:
    return records.read(table, ids, names)


def _export(table: str, records: Records) -> int:
    return export(records.session, Wanted(table), format_of("csv", {}), BytesIO())


def _alike(there: Any, wanted: Any) -> bool:
    if isinstance(there, list) and isinstance(wanted, list):
        return sorted(there) == sorted(wanted)
    return bool(there == wanted)


def walk(settings: Settings, folder: Path, seed: int, rounds: int, most: int = 5) -> Walk:
    """A walk of that many rounds over an empty database; what fails says what was done before."""
    site = Site(folder / "site")
    settings = settings.model_copy(update={"addons": (), "metadata": site.metadata})
    pool = engines.open(settings, "owner")
    made = Walk(Live(site, settings, pool), random.Random(seed))
    try:
        made.begin(12)
        for _ in range(rounds):
            made.round(most)
        made.finish()
    except Exception as error:
        raise AssertionError("\n".join((f"seed {seed}", *made.log, repr(error)))) from error
    finally:
        pool.dispose()
    return made
