"""Tables and fields named by records: checked when written, found by references, guarded by plans, renamed."""

from __future__ import annotations

from typing import Any

import pytest

from core.bm.inputs.stored import users_in_records
from core.bm.planning.describe import as_text
from core.definition import load
from core.definition.users import target
from core.ed.stored import field_of, stored_references, table_of
from core.errors import Invalid
from tests.core.bm.conftest import Live, database_of_test, system  # noqa: F401

WATCH = """
    table: watch
    display: "{name}"
    fields:
      name:    {type: text}
      about:   {type: table}
      kind:    {type: table, of: ticket}
      field:   {type: field, table: about, paths: true}
      amount:  {type: field, on: deal}
      subject: {type: any_link}
    """
PLACE = """
    table: place
    display: "{name}"
    fields: {name: {type: text}, town: {type: text}}
    """


@pytest.fixture
def watching(system: Live) -> Live:  # noqa: F811
    """A live system whose records name tables and fields."""
    system.site.write("watch.yaml", WATCH)
    system.site.write("place.yaml", PLACE)
    system.promote()
    return system


def refusal(system: Live, **values: Any) -> list[tuple[str, str]]:  # noqa: F811
    with pytest.raises(Invalid) as error:
        system.create("watch", name="W", **values)
    return [(one.field, one.code) for one in error.value.problems]


def test_names_that_are_right_are_kept(watching: Live) -> None:
    given = {"about": "deal", "kind": "deal", "field": "company.name", "amount": "amount"}
    found = watching.read("watch", watching.create("watch", name="W", **given))
    assert {name: found[name] for name in given} == given


@pytest.mark.parametrize("values, wrong", [
    ({"about": "deel"}, "about"), ({"kind": "company"}, "kind"), ({"amount": "size"}, "amount"),
    ({"amount": "company.name"}, "amount"), ({"about": "company", "field": "amount"}, "field"),
    ({"field": "name"}, "field"), ({"about": "deal", "field": "company.nix"}, "field"),
])
def test_names_of_nothing_are_refused(watching: Live, values: dict[str, str], wrong: str) -> None:
    assert refusal(watching, **values) == [(wrong, "unknown_name")]


def test_the_field_must_fit_the_table_when_that_changes(watching: Live) -> None:
    one = watching.create("watch", name="W", about="deal", field="amount")
    with pytest.raises(Invalid, match="There is no amount"):
        watching.records(lambda records: records.update("watch", [{"id": one, "about": "company"}]))
    watching.records(lambda records: records.update("watch", [{"id": one, "about": "company", "field": "size"}]))
    assert watching.read("watch", one)["field"] == "size"


def test_they_are_in_the_reference_graph(watching: Live) -> None:
    one = watching.create("watch", name="W", about="deal", field="company.size", amount="amount")
    with watching.engine.connect() as connection:
        from core.bm.versions import live
        system_ = live.system(connection, watching.version, watching.plugins)
        named = {(to.to_kind, to.to_name, to.inside) for _, to in stored_references(system_, connection)}
    assert named == {("table", "deal", 0), ("table", "deal.company", 0), ("table", "company.size", 8),
                     ("table", "deal.amount", 0)}
    model = load((watching.site.folder / "addons",), watching.site.metadata).must()
    users = users_in_records(watching.engine, watching.plugins, target(model, "table", "company.size"))
    assert [(user.record, user.field, user.column) for user in users] == [(one, "watch.field", 9)]


def test_a_promotion_that_breaks_them_is_refused(watching: Live) -> None:
    watching.create("watch", name="Towns", about="place", field="town")
    watching.site.write("place.yaml", PLACE.replace(", town: {type: text}", ""))
    said = as_text(watching.plan().plan)
    assert 'watch' in said and '(Towns): its field would break, there is no field "town" on "place"' in said
    (watching.site.metadata / "place.yaml").unlink()
    assert 'its about would break, there is no table "place"' in as_text(watching.plan().plan)


def test_open_links_guard_the_table_they_lead_to(watching: Live) -> None:
    place = watching.create("place", name="P")
    watching.create("watch", name="Looks there", subject=place)
    (watching.site.metadata / "place.yaml").unlink()
    assert '(Looks there): its subject would break, it leads to a record of "place"' in as_text(watching.plan().plan)
    watching.records(lambda records: records.delete("place", [place]))       # which clears the link
    assert "would break" not in as_text(watching.plan().plan)


def test_a_rename_breaks_nothing(watching: Live) -> None:
    place = watching.create("place", name="P")
    one = watching.create("watch", name="W", about="place", field="town", subject=place)
    watching.site.write("place.yaml", PLACE.replace("table: place", "table: spot\n    was: place")
                        .replace("town: {type: text}", "city: {type: text, was: town}"))
    watching.promote()
    with watching.engine.connect() as connection:
        from core.bm.versions import live
        system_ = live.system(connection, watching.version, watching.plugins)
    found = watching.read("watch", one)
    assert table_of(system_, "watch.about", found["about"]) == "spot"
    assert field_of(system_, "watch.field", found["field"], found["about"]) == "city"
    assert (found["subject"], found["subject_table"], found["subject_title"]) == (place, "spot", "P")
    watching.records(lambda records: records.update("watch", [{"id": one, "about": "place", "field": "town"}]))
    watching.records(lambda records: records.update("watch", [{"id": one, "about": "spot", "field": "town"}]))
    assert watching.read("watch", one)["field"] == "city"
