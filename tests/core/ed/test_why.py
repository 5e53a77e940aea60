"""The answer to why somebody can or cannot: always the gate's own verdict, and the step that decided it is named."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import Engine

from core.ed import locked
from core.ed.access import RIGHTS
from core.ed.why import Answer, why
from core.errors import BadRequest, NotFound
from core.settings import Settings
from tests.fixtures.rights import House, house


@pytest.fixture(scope="module")
def home(engine: Engine, app_engine: Engine, database: Settings) -> House:
    place = house(engine, app_engine)
    place.person("ada", "administrator")
    place.person("bert")
    place.person("olga", "combined", manager=place["bert"])
    for name, role in (("maya", "combined"), ("sam", "by_boss"), ("gus", "guest"), ("cora", "contractor"),
                       ("abe", "approver"), ("aud", "auditor"), ("nil", "")):
        place.person(name, *([role] if role else []))
    place.put("bert boss", "role_assignment", user=place["bert"], role="by_boss")
    place.put("old", "role_assignment", user=place["nil"], role="by_role", until=__import__("datetime").date(2026, 1, 1))
    place.put("sales", "department", name="Sales")
    place.put("case", "case", name="Open", secret=False, owner=place["olga"], members=[place["maya"], place["gus"]],
              department=place["sales"])
    place.put("hidden", "case", name="Hidden", secret=True, owner=place["olga"], members=[place["maya"]])
    place.put("note", "case_note", case=place["case"], text="x")
    place.put("approved", "contract", name="Approved", state="approved", owner=place["abe"])
    place.put("item", "contract_item", contract=place["approved"], name="x")
    place.put("draft", "contract", name="Draft", state="draft", owner=place["abe"])
    return place


def ask(home: House, user: str, right: str, table: str, name: str | None = None, field: str | None = None) -> Answer:
    with home.records("ada") as records:
        return why(records.session, home[user], right, table, home[name] if name else None, field)


def said(answer: Answer) -> list[str]:
    return [f"{ {True: '+', False: '-', None: ' '}[s.holds]} {s.says} {s.place}".strip() for s in answer.steps]


def test_each_step_names_its_file_and_line(home: House) -> None:
    answer = ask(home, "maya", "change", "case", "case")
    assert answer.allowed
    assert said(answer) == [
        f"+ Holds the role Combined, by role assignment {home['maya combined']}. tests/fixtures/rights/roles/combined.yaml:1",
        "+ The role Combined includes the role By owner. tests/fixtures/rights/roles/combined.yaml:2",
        "The role By owner grants change on case to: owner. tests/fixtures/rights/roles/by_owner.yaml:3",
        "The role Combined grants change on case to: member. tests/fixtures/rights/roles/combined.yaml:4",
        "+ Is member of this record: members is maya, gus. addons/base/tables/of_members.yaml:5",
        "- Is not owner of this record: owner is olga. addons/base/tables/owned.yaml:6",
        "+ The restriction secret_cases, which leaves change to owner, auditor, does not stand in the way. "
        "tests/fixtures/rights/roles/secret_cases.yaml:4"]


@pytest.mark.parametrize(("user", "right", "table", "name", "field", "step"), [
    ("nil", "read", "case", None, None, "- Does not hold the role By role today"),
    ("sam", "read", "case", "case", None, "- Is not boss of this record: owner is olga, and those above count."),
    ("maya", "read", "case", "hidden", None, "- The restriction secret_cases leaves read to: owner, auditor."),
    ("ada", "change", "case", "hidden", None, "- The restriction secret_cases leaves change to: owner, auditor."),
    ("gus", "read", "case", "case", "fee", "The role Guest says nothing of read on case.fee."),
    ("maya", "read", "case", "case", "fee", "The role Combined grants read on case.fee to: department_head."),
    ("olga", "change", "case", "hidden", "plan", "- The restriction plans leaves change to: –."),
    ("sam", "read", "case_note", "note", None, "- It belongs to Open (case), on which the user has no right read."),
    ("cora", "change", "contract", "approved", None, "- This record is locked: Approved was approved."),
    ("cora", "delete", "contract_item", "item", None, "- “Approved”, to which this belongs, is locked"),
    ("cora", "change", "contract", "draft", "fixed", "- The field is read-only in this record."),
])
def test_what_stands_in_the_way_is_named(home: House, user: str, right: str, table: str, name: str | None,
                                        field: str | None, step: str) -> None:
    answer = ask(home, user, right, table, name, field)
    assert not answer.allowed and any(step in line for line in said(answer)), said(answer)
    assert answer.missing


def test_the_verdict_is_what_happens(home: House) -> None:
    """Over all people, rights and records: the answer is what the record service does."""
    records_of = {"case": ("case", "hidden"), "case_note": ("note",), "contract": ("approved", "draft"),
                  "contract_item": ("item",)}
    people = ("ada", "bert", "olga", "maya", "sam", "gus", "cora", "abe", "aud", "nil")
    for user, (table, names), right in itertools.product(people, records_of.items(), RIGHTS):
        with home.records(user) as records:
            free = records.may(table, right)
            done = {name: records.may(table, right, home[name]) and (
                right == "peek" or records.may(table, "read", home[name])) and not (
                right in ("change", "delete") and _closed(records, table, home[name])) for name in names}
        assert ask(home, user, right, table).allowed is free, (user, table, right)
        for name, allowed in done.items():
            assert ask(home, user, right, table, name).allowed is allowed, (user, right, name)
    for user, field, name in itertools.product(people, ("name", "fee", "plan", "owner"), ("case", "hidden")):
        with home.records(user) as records:
            gate, source = records.session.gate, home.system.stored("case").table
            mask = gate.mask("case", field, source, "read")
            seen = records.read("case", [home[name]], ["id"]) != [] if records.may("case", "read") else False
            shown = seen and (mask is True or (mask is not False and _met(records, mask, source, home[name])))
        assert ask(home, user, "read", "case", name, field).allowed is shown, (user, field, name)


def _closed(records, table: str, id: int) -> bool:
    standing = locked.standing(records.session, table, id)
    return standing is not None and standing.by is not None


def _met(records, mask, source, id: int) -> bool:
    from sqlalchemy import select
    return records.session.connection.scalar(select(mask).where(source.c.id == id), records.session.parameters) is True


def test_values_are_named_as_far_as_the_asker_may_read(home: House) -> None:
    with home.records("sam") as records:
        answer = why(records.session, home["sam"], "read", "case", home["case"])
    assert any(f"owner is user {home['olga']}" in line for line in said(answer))


def test_what_is_no_question_is_refused(home: House) -> None:
    for right, table, name, field in (("fly", "case", None, None), ("delete", "case", None, "name")):
        with pytest.raises(BadRequest):
            ask(home, "sam", right, table, name, field)
    for user, table, name, field in (("case", "case", None, None), ("sam", "nothing", None, None),
                                     ("sam", "case", "approved", None), ("sam", "case", None, "nothing")):
        with pytest.raises(NotFound):
            ask(home, user, "read", table, name, field)
