"""A field of type state in records: a choice of its workflow's states, and the phase beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.definition import load
from core.ed.records import Records
from core.ed.schema import create_all, name_all
from core.ed.session import Session
from core.ed.system import System
from core.errors import Invalid
from core.web.api.openapi import document
from tests.core.definition.sets import write
from tests.fixtures import FIXTURES
from tests.fixtures.sample import identify

FILES = {
    "metadata/system.yaml": "system: main\naddons: [process]\nlanguages: [en]\ncurrency: EUR\n",
    "addons/process/addon.yaml": "addon: process\nversion: 1.0.0\nneeds: [writing]\n",
    "addons/process/tables/case.yaml": """
table: case
abstract: true
fields: {name: {type: text}, state: {type: state}}
""",
    "addons/process/tables/repair.yaml": "table: repair\nbase: case\nfields: {part: {type: text}}\n",
    "addons/process/tables/claim.yaml": "table: claim\nbase: case\nfields: {sum: {type: integer}}\n",
    "addons/process/workflows/case.yaml": """
workflow: case
of: case
states:
  new:    {title: Fresh, phase: draft, color: gray}
  open:   {title: At work, phase: open}
  closed: {title: Finished, phase: done}
transitions:
  begin: {from: new, to: open}
  close: {from: open, to: closed}
""",
    "addons/process/workflows/claim.yaml": """
workflow: claim
of: claim
states:
  asked:  {phase: waiting}
  closed: {title: Refused, phase: void}
  paid:   {phase: done}
transitions:
  pay:    {from: asked, to: paid}
  refuse: {from: asked, to: closed}
""",
}


@pytest.fixture(scope="module")
def system(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> System:
    """A base with two kinds, of which one has a workflow of its own."""
    folder = tmp_path_factory.mktemp("states")
    write(folder, FILES)
    model = load([FIXTURES / "writing", folder / "addons"], folder / "metadata", root=Path("/")).must()
    identities = identify(model)
    system = System(1, model, identities, name_all(model, identities))
    with engine.begin() as connection:
        create_all(connection, system)
    return system


@pytest.fixture
def records(engine: Engine, system: System) -> Iterator[Records]:
    """The record service in a transaction that is undone."""
    with undone(engine, system) as found:
        yield found


@contextmanager
def undone(engine: Engine, system: System) -> Iterator[Records]:
    with engine.connect() as connection, connection.begin() as transaction:
        yield Records(Session.system_session(system, connection))
        transaction.rollback()


def test_a_new_record_is_in_the_state_its_workflow_starts_with(records: Records) -> None:
    repair, = records.create("repair", [{"name": "a"}])
    claim, = records.create("claim", [{"name": "b"}])
    assert [one["state"] for one in records.read("repair", [repair], ["state"])] == ["new"]
    assert [one["state"] for one in records.read("claim", [claim], ["state"])] == ["asked"]


def test_only_states_of_the_tables_workflow_can_be_given(records: Records) -> None:
    for table, state in (("repair", "paid"), ("claim", "open"), ("repair", "nonsense")):
        with pytest.raises(Invalid):
            records.create(table, [{"name": "a", "state": state}])
    records.create("claim", [{"name": "a", "state": "paid"}])


def test_the_phase_follows_the_state_and_the_kind_of_record(records: Records) -> None:
    repair, = records.create("repair", [{"name": "a", "state": "closed"}])
    claim, = records.create("claim", [{"name": "b", "state": "closed"}])
    for table in ("case", "repair"):
        assert records.read(table, [repair], ["phase"])[0]["phase"] == "done"
    for table in ("case", "claim"):
        assert records.read(table, [claim], ["phase"])[0]["phase"] == "void"


def test_records_are_found_and_sorted_by_state_and_phase(records: Records) -> None:
    first, second = records.create("repair", [{"name": "a", "state": "open"}, {"name": "b", "state": "new"}])
    third, = records.create("claim", [{"name": "c", "state": "paid"}])
    assert found(records, "case", "phase == 'open'") == [first]
    assert found(records, "case", "state in ['new', 'paid']") == [second, third]
    assert found(records, "repair", "phase != 'done'", "state") == [second, first]
    assert records.count("case", "phase == 'done'") == (1, False)


def found(records: Records, table: str, where: str, order: str = "id") -> list[int]:
    """The ids that a condition leaves, in an order."""
    return [one["id"] for one in records.page(table, ["name"], where, order=[order]).records]


def test_the_api_names_the_states(records: Records) -> None:
    schemas = document(records.session)["components"]["schemas"]
    states = schemas["repair"]["properties"]["state"]["enum"]
    assert states[:3] == ["new", "open", "closed"]
