"""Links to one of several tables: stored apart, read as one, narrowed by the table, guarded hop by hop."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from core.errors import BadRequest, Invalid
from core.expression import check
from tests.small_system import Small
from tests.work import statements_sent


@pytest.fixture(scope="module")
def ids(small: Small) -> dict[str, int]:
    firm = small.create("firm", name="Acme", nick="A", town="Ulm")
    person = small.create("person", name="Pia", nick="P", secret="42")
    ann = small.create("employee", name="Ann", wage=7, account=small.users["ina"])
    off = small.create("employee", name="Off", active=False)
    return {"firm": firm, "person": person, "ann": ann, "off": off,
            "to_firm": small.create("event", name="b firm", recipient=firm),
            "to_person": small.create("event", name="c person", recipient=person),
            "to_ann": small.create("event", name="a ann", recipient=ann),
            "to_none": small.create("event", name="d none")}


def names(small: Small, where: str, user: str = "ada", **more: Any) -> list[str]:
    with small.records(user) as records:
        return [record["name"] for record in records.page("event", ["name"], where, order=["name"], **more).records]


def test_it_reads_as_an_id_with_title_and_table(small: Small, ids: dict[str, int]) -> None:
    found = small.read("event", ids["to_ann"])
    assert (found["recipient"], found["recipient_title"], found["recipient_table"]) == (ids["ann"], "Ann", "employee")
    found = small.read("event", ids["to_firm"])
    assert (found["recipient"], found["recipient_title"], found["recipient_table"]) == (ids["firm"], "Acme", "party")
    found = small.read("event", ids["to_none"])
    assert (found["recipient"], found["recipient_title"], found["recipient_table"]) == (None, None, None)


@pytest.mark.parametrize("where, expected", [
    ("recipient is employee", ["a ann"]),
    ("recipient is party", ["b firm", "c person"]),
    ("recipient is firm", ["b firm"]),
    ("recipient is not employee", ["b firm", "c person", "d none"]),
    ("recipient is None", ["d none"]),
    ("recipient.employee is not None", ["a ann"]),
    ("recipient.employee.name == 'Ann'", ["a ann"]),
    ("recipient.party.nick == 'P'", ["c person"]),
    ("recipient.party.town == 'Ulm'", ["b firm"]),
    ("town == 'A'", ["b firm"]),
    ("inside", ["a ann"]),
    ("recipient in all.employee[wage > 5]", ["a ann"]),
    ("exists(all.firm[id == outer.recipient])", ["b firm"]),
])
def test_conditions(small: Small, ids: dict[str, int], where: str, expected: list[str]) -> None:
    assert names(small, where) == expected


def test_it_is_compared_with_ids_and_links(small: Small, ids: dict[str, int]) -> None:
    assert names(small, f"recipient == {ids['ann']}") == ["a ann"]
    assert names(small, f"recipient in [{ids['ann']}, {ids['firm']}]") == ["a ann", "b firm"]
    assert names(small, "recipient == recipient.employee") == ["a ann", "d none"]       # empty equals empty
    assert names(small, "", filters={"recipient": ids["firm"]}) == ["b firm"]
    assert names(small, "", filters={"recipient": [ids["firm"], ids["ann"]]}) == ["a ann", "b firm"]
    assert names(small, "", filters={"recipient.employee": ids["ann"]}) == ["a ann"]


@pytest.mark.parametrize("where, said", [
    ("recipient.user is None", 'leads to no "user"'),
    ("recipient.name == 'x'", 'leads to no "name"'),
    ("recipient is deal", 'is never "deal"'),
    ("recipient > 3", '">" does not go between'),
])
def test_what_it_cannot_be_asked(small: Small, where: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        names(small, where)


def test_it_sorts_by_title(small: Small, ids: dict[str, int]) -> None:
    with small.records() as records:
        chosen = f"id in [{ids['to_firm']}, {ids['to_ann']}, {ids['to_person']}]"
        page = records.page("event", ["name", "recipient"], chosen, order=["-recipient"], limit=2)
        rest = records.page("event", ["name", "recipient"], chosen, order=["-recipient"], limit=2, after=page.next)
    titles = [record["recipient_title"] for record in [*page.records, *rest.records]]
    assert titles == ["Pia", "Ann", "Acme"]


def test_paths_are_read_through_it(small: Small, ids: dict[str, int]) -> None:
    with small.records() as records:
        fields = ["recipient.employee.name", "recipient.party.name", "recipient.employee"]
        (found,) = records.read("event", [ids["to_ann"]], fields)
    assert (found["recipient.employee.name"], found["recipient.party.name"]) == ("Ann", None)
    assert (found["recipient.employee"], found["recipient.employee_title"]) == (ids["ann"], "Ann")


def test_a_record_of_another_table_is_refused(small: Small, ids: dict[str, int]) -> None:
    for wrong in (ids["to_firm"], 99_999_999):
        with pytest.raises(Invalid, match="cannot be chosen here"):
            small.create("event", name="x", recipient=wrong)


def test_each_table_has_its_own_condition(small: Small, ids: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="cannot be chosen here"):
        small.create("event", name="x", recipient=ids["off"])
    assert small.create("event", name="zz guest", guest=ids["off"])


def test_it_changes_from_one_table_to_the_other_and_history_tells(small: Small, ids: dict[str, int]) -> None:
    one = small.create("event", name="z moved", recipient=ids["firm"])
    with small.records() as records:
        records.update("event", [{"id": one, "recipient": ids["ann"]}])
        records.update("event", [{"id": one, "recipient": ids["ann"]}])           # the same again is no change
        changes = [change.fields["recipient"] for change in records.history("event", one) if "recipient" in change.fields]
    assert changes == [(ids["firm"], ids["ann"]), (None, ids["firm"])]
    found = small.read("event", one)
    assert (found["recipient_table"], found["_version"]) == ("employee", 2)
    with small.records() as records:
        records.update("event", [{"id": one, "recipient": None}])
    assert small.read("event", one)["recipient"] is None


def test_the_database_keeps_one_column_and_key_for_each_table(small: Small, ids: dict[str, int]) -> None:
    columns = [name for name, in small.sql("select column_name from information_schema.columns where table_schema = 'ed'"
                                           " and column_name like 'recipient%' order by 1")]
    assert [name.rpartition("_")[2] for name in columns] == ["employee", "party"]
    keys = small.sql("select count(*) from pg_constraint where conname like 'fk%' and convalidated and conrelid in "
                     "(select attrelid from pg_attribute where attname = :name)", name=columns[0])
    assert keys[0][0] >= 6
    table = small.sql("select relname from pg_class join pg_attribute on attrelid = pg_class.oid where attname = :name"
                      " and relkind = 'r'", name=columns[0])[0][0]
    with small.owner.connect() as connection, pytest.raises(IntegrityError, match="ck_"):
        connection.exec_driver_sql(f"update ed.{table} set {columns[0]} = {ids['ann']}, {columns[1]} = {ids['firm']}")


def test_trash_restricts_clears_and_cascades(small: Small) -> None:
    firm = small.create("firm", name="Brief")
    guest, host, addressed = (small.create("event", name=name, **{name: firm}) for name in ("guest", "host", "recipient"))
    with small.records() as records, pytest.raises(Invalid, match="still used by: Event guest"):
        records.delete("firm", [firm])
    with small.records() as records:
        records.delete("event", [guest])
        records.delete("firm", [firm])
    assert small.read("event", addressed)["recipient"] is None
    assert small.all("event", f"id == {host}") == []
    with small.records() as records, pytest.raises(Invalid, match="restore that one"):
        records.restore("event", [host])
    with small.records() as records:
        records.restore("firm", [firm])
    assert small.read("event", host)["host"] == firm


def test_rights_hop_by_hop(small: Small, ids: dict[str, int]) -> None:
    """Past case 3: no path shows what is hidden, and the answer is that to an unknown name."""
    assert names(small, "recipient is not None", "ina") == ["a ann"]        # the record role ends at the employee
    with small.records("ina") as records:
        (found,) = records.read("event", [ids["to_ann"]])
        assert (found["recipient"], found["recipient_title"]) == (ids["ann"], "Ann")
        for path in ("recipient.employee.wage", "recipient.party.name", "recipient.employee.account.name"):
            for ask in ({"fields": [path]}, {"order": [path]}, {"filters": {path: "x"}}, {"where": f"{path} is None"}):
                with pytest.raises(BadRequest, match="There is no field|is not on table"):
                    records.page("event", **{"fields": ["name"], **ask})


def test_a_record_that_may_only_be_peeked_at_shows_no_more(small: Small, ids: dict[str, int]) -> None:
    with small.records("kim") as records:
        (found,) = records.read("event", [ids["to_person"]])
        assert (found["recipient"], found["recipient_title"]) == (ids["person"], "Pia")     # peek: [name]
        with pytest.raises(BadRequest):
            records.read("event", [ids["to_person"]], ["recipient.party.secret"])
        (found,) = records.read("event", [ids["to_ann"]])
        assert (found["recipient"], found["recipient_title"]) == (ids["ann"], None)         # employees are not shown
    with small.records("kim") as records, pytest.raises(Invalid, match="cannot be chosen"):
        records.create("event", [{"name": "x", "recipient": ids["ann"]}])
    with small.records("kim") as records:
        assert records.create("event", [{"name": "z peeked", "recipient": ids["person"]}])


def test_defaults_read_through_it(small: Small, ids: dict[str, int]) -> None:
    greeted = [small.read("event", small.create("event", name="z greeted", recipient=one))["greeting"]
               for one in (ids["ann"], ids["firm"], None)]
    assert greeted == ["Ann", "A", "nobody"]


def test_it_is_evaluated_without_the_database_too(small: Small, ids: dict[str, int]) -> None:
    found = small.read("event", ids["to_ann"])
    with small.session() as session:
        table, environment = session.system.model.tables["event"], session.environment
        scope = session.system.model.scope("event")
        for source, expected in (("recipient is employee", True), ("recipient is party", False),
                                 ("recipient.employee is not None", True), ("recipient.party is None", True),
                                 (f"recipient == {ids['ann']}", True), ("recipient is None", False)):
            assert check(source, scope, "boolean").evaluate(found, environment) is expected, source
        assert table.fields["recipient"].target is None and table.fields["recipient"].targets == ("party", "employee")


def test_one_statement_reads_any_number(small: Small, ids: dict[str, int]) -> None:
    with small.records() as records, statements_sent(records.session.connection) as sent:
        records.page("event", ["name", "recipient", "guest", "host"], order=["recipient"])
    assert len(sent) == 1


def test_two_of_its_tables_may_be_stored_in_one(small: Small, ids: dict[str, int]) -> None:
    for name in ("person", "firm"):
        found = small.read("event", small.create("event", name=f"either {name}", either=ids[name]))
        assert (found["either"], found["either_table"]) == (ids[name], name)
