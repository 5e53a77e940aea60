"""What check says of relations that cannot be, and what a promotion makes of relations that change."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import load
from tests.core.bm.conftest import Live, database_of_test, system  # noqa: F401
from tests.core.bm.sites import Site

TABLES = """
    table: person
    display: "{name}"
    fields: {name: {type: text}}
    """
PAIR = """
    table: pair
    fields:
      one: {type: link, to: person}
      two: {type: link, to: person}
      firm: {type: link, to: company}
    """


def said(tmp_path: Path, field: str, more: str = "") -> list[str]:
    """What check says of a field `x` of the table `thing`."""
    site = Site.make(tmp_path / "site")
    site.write("person.yaml", TABLES)
    site.write("pair.yaml", PAIR)
    site.write("thing.yaml", f"""
    table: thing
    fields:
      name: {{type: text}}
      about: {{type: table}}
      x: {field}
    {more}""")
    problems = load([site.folder / "addons"], site.metadata, root=tmp_path).problems
    return [f"{problem.line}:{problem.message}" for problem in problems]


@pytest.mark.parametrize("field", [
    "{type: link, to: [company, person]}", "{type: link, to: [company, person], among: {person: \"name == 'x'\"}}",
    "{type: any_link}", "{type: any_link, on_delete: cascade}", "{type: table, of: ticket}",
    "{type: field, on: deal}", "{type: field, table: about, paths: true}",
])
def test_what_is_right(tmp_path: Path, field: str) -> None:
    assert said(tmp_path, field) == []


@pytest.mark.parametrize("field, problem", [
    ("{type: link, to: [company, nix]}", 'there is no table "nix"'),
    ("{type: link, to: [company]}", "a list of tables names at least two, each once"),
    ("{type: link, to: [company, company]}", "a list of tables names at least two, each once"),
    ("{type: link, to: [ticket, deal]}", '"deal" is a kind of "ticket", which is named already'),
    ("{type: link, to: [company, person], many: true}", '"many" is for links to one table'),
    ("{type: link, to: [company, thing], tree: true}", '"tree" is for links to one table'),
    ("{type: link, to: [company, person], among: \"name == 'x'\"}", "a condition for each table"),
    ("{type: link, to: [company, person], among: {deal: \"title == 'x'\"}}", 'the link does not lead to "deal"'),
    ("{type: link, to: [company, person], among: {person: \"nix == 'x'\"}}", '"nix" is not on table "person"'),
    ("{type: link, to: [company, person], default: 5}", "a link's value is an expression"),
    ("{type: links, to: company, through: pair}", 'table "pair" has no link to table "thing"'),
    ("{type: links, to: company, through: nix}", 'there is no table "nix"'),
    ("{type: links, to: company, through: pair, by: one}", '"one" of table "pair" is no link to table "thing"'),
    ("{type: field}", 'has either "on", a table, or "table"'),
    ("{type: field, on: deal, table: about}", 'has either "on", a table, or "table"'),
    ("{type: field, table: name}", '"name" is no field of type "table"'),
    ("{type: field, on: nix}", 'there is no table "nix"'), ("{type: table, of: nix}", 'there is no table "nix"'),
])
def test_what_is_wrong_is_told_once_with_its_line(tmp_path: Path, field: str, problem: str) -> None:
    (found,) = said(tmp_path, field)
    assert problem in found and found.startswith("5:")


@pytest.mark.parametrize("field, problem", [
    ("{type: link, to: [company, person], formula: about}", "what is worked out is a link to one table"),
    ("{type: any_link, formula: about}", "what is worked out is a link to one table"),
    ("{type: any_link, among: \"id is None\"}", '"among" is for links'),
])
def test_what_does_not_go_together(tmp_path: Path, field: str, problem: str) -> None:
    assert any(problem in found for found in said(tmp_path, field))


def test_two_ways_to_the_same_table_must_be_told_apart(tmp_path: Path) -> None:
    site = Site.make(tmp_path / "site")
    site.write("pair.yaml", PAIR)
    for ends, problem in (("", 'say with "by" which of "one", "two" is meant'), (", by: one, other: two", ""),
                          (", by: one", ""), (", by: one, other: one", "are two links")):
        site.write("person.yaml", TABLES.replace("{name: {type: text}}",
                                                 f"{{name: {{type: text}}, friends: {{type: links, to: person, through: pair{ends}}}}}"))
        problems = [one.message for one in load([site.folder / "addons"], site.metadata, root=tmp_path).problems
                    if "friends" not in one.message]
        assert (problem in problems[0]) if problem else problems == []


@pytest.mark.parametrize("expression, problem", [
    ("x is person", ""), ("x.company.name == 'a'", ""), ("x.person is not None", ""), ("x == x.person", ""),
    ("x.name == 'a'", 'a link to company or person leads to no "name"; name the table first'),
    ("x.deal is None", 'leads to no "deal"'), ("x is deal", 'a link to company or person is never "deal"'),
    ("x < x", "does not go between"),
])
def test_expressions_are_checked(tmp_path: Path, expression: str, problem: str) -> None:
    rule = f'rules: {{r: {{check: "{expression}"}}}}'
    found = said(tmp_path, "{type: link, to: [company, person]}", rule)
    assert (problem in found[0]) if problem else found == []


@pytest.mark.parametrize("role, problem", [
    ("x.person", "which stands for no people"), ("x", "does not end at people|stands for no people|several tables"),
    ("x.name", "followed by the table it leads to"),
])
def test_roles_name_the_table_on_the_way(tmp_path: Path, role: str, problem: str) -> None:
    import re
    found = said(tmp_path, "{type: link, to: [company, person]}", f"roles: {{r: {{is: {role}}}}}")
    assert found and re.search(problem, found[0])


def thing(to: str) -> str:
    return f"""
    table: thing
    display: "{{name}}"
    fields: {{name: {{type: text}}, x: {{type: link, to: {to}}}}}
    """


def test_a_link_may_come_to_lead_to_more_tables_and_back(system: Live) -> None:  # noqa: F811
    system.site.write("person.yaml", TABLES)
    system.site.write("thing.yaml", thing("[company, person]"))
    system.promote()
    company = system.create("company", name="Acme")
    one = system.create("thing", name="T", x=company)
    system.site.write("thing.yaml", thing("[ticket, person, company]"))
    system.promote()
    assert (system.read("thing", one)["x"], system.read("thing", one)["x_table"]) == (company, "company")
    deal = system.create("deal", title="D")
    two = system.create("thing", name="U", x=deal)
    assert system.read("thing", two)["x_table"] == "ticket"
    checks = "select conname, convalidated from pg_constraint where conname like 'ck%' and contype = 'c'"
    assert [valid for _, valid in system.sql(checks)] == [True]
    system.rollback()
    assert system.read("thing", one)["x"] == company and system.read("thing", two)["x"] is None
    assert len(system.sql(checks)) == 1
    assert system.plan().plan.problems == () and system.promote()
    assert system.read("thing", two)["x"] == deal


@pytest.mark.parametrize("before, after", [
    ("[company, person]", "[company, ticket]"), ("[company, person]", "company"), ("company", "[company, person]"),
])
def test_a_link_comes_to_lead_elsewhere_with_what_may_stay(system: Live, before: str, after: str) -> None:  # noqa: F811
    system.site.write("person.yaml", TABLES)
    system.site.write("thing.yaml", thing(before))
    system.promote()
    company = system.create("company", name="Acme")
    one = system.create("thing", name="T", x=company)
    system.site.write("thing.yaml", thing(after))
    system.promote()
    assert system.read("thing", one)["x"] == company
    assert system.plan().plan.empty


def test_a_renamed_table_keeps_what_leads_to_it(system: Live) -> None:  # noqa: F811
    system.site.write("person.yaml", TABLES)
    system.site.write("thing.yaml", thing("[company, person]"))
    system.promote()
    person = system.create("person", name="Pia")
    one = system.create("thing", name="T", x=person)
    system.site.write("person.yaml", TABLES.replace("table: person", "table: human\n    was: person"))
    system.promote()                    # `to` still says person: a former name is found
    found = system.read("thing", one)
    assert (found["x"], found["x_table"], found["x_title"]) == (person, "human", "Pia")
    system.site.write("thing.yaml", thing("[company, human]"))
    system.promote()
    assert system.read("thing", one)["x_table"] == "human"


def test_a_record_may_belong_to_one_of_several_tables(system: Live) -> None:  # noqa: F811
    system.site.write("person.yaml", TABLES)
    system.site.write("thing.yaml", thing("[company, person], required: true, on_delete: cascade"))
    system.promote()
    company = system.create("company", name="Acme")
    one = system.create("thing", name="T", x=company)
    system.records(lambda records: records.delete("company", [company]))
    assert system.records(lambda records: records.read("thing", [one])) == []
    system.records(lambda records: records.restore("company", [company]))
    assert system.read("thing", one)["x"] == company
