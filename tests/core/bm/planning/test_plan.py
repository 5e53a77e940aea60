"""Plans between two sets of definitions: pure values, no database."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.bm.changes import expanding
from core.bm.engine.steps import Plan, step_from_json
from core.bm.inputs.facts import Facts
from core.bm.planning.describe import as_text, summary
from core.bm.planning.plan import plan
from core.bm.versions.canonical import canonical
from core.bm.versions.diff import Added, Changed, Property, Removed, Renamed, Returned, diff
from core.bm.versions.state import EMPTY, Parked, State
from core.ed.schema import desired, name_all
from core.ed.system import System
from tests.core.bm.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.make(tmp_path)


def facts_of(state: State, **changes: object) -> Facts:
    """The facts of a database that holds exactly that state."""
    assert state.model is not None
    names = name_all(state.model, state.identities)
    wanted = desired(System(0, state.model, state.identities, names))
    values: dict[str, object] = {
        "physical": names,
        "columns": {table.name: {"id": "bigint", **{c.name: c.type for c in table.columns}} for table in wanted},
        "indexes": {index.name: (table.name, True) for table in wanted for index in table.indexes},
        "constraints": {key.name: (table.name, True) for table in wanted for key in table.foreign_keys},
        "first_new": 1 + max(state.identities.values()), **changes}
    return Facts(**values)  # type: ignore[arg-type]


def changed(site: Site, base: State, **files: str | None) -> State:
    for name, text in files.items():
        site.write(name + ".yaml", text)
    return site.state(base, first_new=1000)


def kinds(made: Plan) -> list[str]:
    return [step.kind for step in made.steps]


REGION = """
    change: table deal
    fields:
      region: {type: text, after: company}
    """


def test_what_each_state_needs_in_the_database_is_worked_out_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    base = site.state()
    target, asked = changed(site, base, region=REGION), []

    def noted(system: System) -> object:
        asked.append(system.model)
        return desired(system)
    monkeypatch.setattr(expanding, "desired", noted)
    assert "expand" in kinds(plan(base, target, facts_of(base)))
    assert {id(model) for model in asked} == {id(base.model), id(target.model)} and len(asked) == 2


def test_from_nothing_every_table_is_created_with_its_indexes(site: Site) -> None:
    made = plan(EMPTY, site.state(), Facts())
    created = [step.target for step in made.steps if step.kind == "expand" and step.sql[0].startswith("create table")]
    assert created == ["company", "ticket"]
    assert not made.problems
    assert kinds(made)[0] == "stage" and "index" not in kinds(made)
    assert kinds(made)[kinds(made).index("prepare") + 1] == "flip"


def test_a_version_against_itself_is_an_empty_plan(site: Site) -> None:
    base = site.state()
    made = plan(base, site.state(base), facts_of(base))
    assert made.empty and made.changes == made.steps == ()
    assert as_text(made).startswith("No changes")


def test_a_moved_line_or_a_comment_is_no_change(site: Site) -> None:
    base = site.state()
    site.addon("company.yaml", "# a comment\n\n" + (site.folder / "addons/shop/company.yaml").read_text())
    assert plan(base, site.state(base), facts_of(base)).empty


def test_an_added_field_is_one_alter_of_the_table_that_stores_it(site: Site) -> None:
    base = site.state()
    target = changed(site, base, deal=REGION)
    made = plan(base, target, facts_of(base))
    assert [(type(change), change.kind, change.name) for change in made.changes] == [(Added, "field", "deal.region")]
    assert kinds(made) == ["stage", "expand", "prepare", "flip"]
    step = made.steps[1]
    column, key = f"region_{target.identities['deal.region']}", f"region_{target.identities['deal.region']}_key"
    assert step.sql == (f"alter table ed.\"ticket_{base.identities['ticket']}\" "
                        f'add column "{column}" text, add column "{key}" text',)
    assert step.risk == "additive" and step.undo
    assert str(summary(made)) == "Plan: 1 to add, 0 to change, 0 to remove. Risk: additive."


def test_a_link_gets_its_foreign_key_unvalidated_its_index_concurrently_and_its_check_after_the_flip(
        site: Site) -> None:
    base = site.state()
    target = changed(site, base, deal="change: table deal\nfields: {buyer: {type: link, to: company}}\n")
    made = plan(base, target, facts_of(base))
    assert kinds(made) == ["stage", "expand", "expand", "index", "prepare", "flip", "acknowledge", "validate"]
    assert made.steps[2].sql[0].endswith("not valid")
    assert "CONCURRENTLY" in made.steps[3].sql[0]
    assert "validate constraint" in made.steps[7].sql[0]


def test_titles_and_all_else_that_is_metadata_need_no_sql(site: Site) -> None:
    base = site.state()
    target = changed(site, base, company="""
        change: table company
        title: Firm
        display: "{name} ({size})"
        fields:
          name: {help: As registered, max: 200}
        """, choices="change: choices company_kind\nvalues: {press: {title: Press}}\n")
    made = plan(base, target, facts_of(base))
    assert kinds(made) == ["stage", "prepare", "flip"] and made.risk == "metadata"
    assert [(change.kind, change.name) for change in made.changes] == [
        ("choice", "company_kind.press"), ("table", "company"), ("field", "company.name")]
    assert made.changes[1] == Changed("table", "company", (
        Property("title", "Company", "Firm"), Property("display", "{name}", "{name} ({size})")))


def test_a_renamed_field_keeps_its_column(site: Site) -> None:
    base = site.state()
    site.addon("company.yaml", (site.folder / "addons/shop/company.yaml").read_text().replace(
        "size: {type: integer}", "staff: {type: integer, was: size}"))
    target = site.state(base)
    made = plan(base, target, facts_of(base))
    assert made.changes == (Renamed("field", "company.size", "company.staff"),)
    assert kinds(made) == ["stage", "prepare", "flip"]
    assert target.identities["company.staff"] == base.identities["company.size"]


def test_a_renamed_table_keeps_its_records_and_what_links_to_it(site: Site) -> None:
    base = site.state()
    text = (site.folder / "addons/shop/company.yaml").read_text()
    site.addon("company.yaml", text.replace("table: company", "table: firm\nwas: company").replace(
        "to: company", "to: firm"))
    site.addon("deal.yaml", (site.folder / "addons/shop/deal.yaml").read_text().replace("to: company", "to: firm"))
    target = site.state(base)
    made = plan(base, target, facts_of(base))
    assert Renamed("table", "company", "firm") in made.changes
    assert not any(isinstance(change, Added | Removed) for change in made.changes)
    assert not made.problems and not any(step.sql for step in made.steps)
    assert target.identities["firm.name"] == base.identities["company.name"]


def test_renamed_choices_keep_the_fields_that_use_them(site: Site) -> None:
    base = site.state()
    kinds_text = (site.folder / "addons/shop/kinds.yaml").read_text()
    site.addon("kinds.yaml", kinds_text.replace("choices: company_kind", "choices: sort_of_company\nwas: company_kind"))
    site.addon("company.yaml", (site.folder / "addons/shop/company.yaml").read_text().replace(
        "of: company_kind", "of: sort_of_company"))
    made = plan(base, site.state(base), facts_of(base))
    assert Renamed("choices", "company_kind", "sort_of_company") in made.changes
    assert not made.problems and kinds(made) == ["stage", "prepare", "flip"]


def test_a_field_of_the_built_in_choices_stays_as_it_is(site: Site) -> None:
    before = site.state()
    site.write("role.yaml", "role: boss\ntitle: Boss\n")
    base = changed(site, before, deal="change: table deal\nfields: {who: {type: choice, of: role}}\n")
    target = changed(site, base, company="change: table company\ntitle: Firm\n")
    assert plan(base, target, facts_of(base)).problems == ()


def test_a_removed_field_is_parked_not_dropped(site: Site) -> None:
    before = site.state()
    base = changed(site, before, deal=REGION)
    site.write("deal.yaml", None)
    target = site.state(base)
    made = plan(base, target, facts_of(base, values={base.identities["deal.region"]: 12}))
    assert made.changes == (Removed("field", "deal.region"),)
    assert kinds(made) == ["stage", "prepare", "flip", "acknowledge", "park"]
    assert made.steps[4].sql == () and made.steps[4].risk == "lossy" and made.steps[4].rows == 12
    assert tuple(map(str, made.notes)) == ("field deal.region is parked: 12 values are kept, and return when it does",)


def parked_region(site: Site) -> tuple[State, int, list[Parked]]:
    base = site.state()
    identity = 500
    return base, identity, [Parked("deal.region", identity, "text")]


def test_a_parked_field_returns_with_its_values_when_name_and_type_are_the_same(site: Site) -> None:
    base, identity, parked = parked_region(site)
    site.write("deal.yaml", REGION)
    target = site.state(base, parked, first_new=1000)
    assert target.identities["deal.region"] == identity
    facts = facts_of(base)
    table = f"ticket_{base.identities['ticket']}"
    names = {(identity, ""): (table, "region_500"), (identity, "key"): (table, "region_500_key")}
    facts = Facts(physical={**facts.physical, **names}, parked_columns=frozenset(names), indexes=facts.indexes,
                  constraints=facts.constraints, first_new=1000,
                  columns={**facts.columns, table: {**facts.columns[table], "region_500": "text",
                                                    "region_500_key": "text"}})
    made = plan(base, target, facts)
    assert isinstance(made.changes[0], Returned)
    assert [step.sql for step in made.steps if step.kind == "expand"] == [()]
    assert "returns with the values it had" in as_text(made)


@pytest.mark.parametrize("field", ["{type: text, fresh: true}", "{type: integer}"])
def test_a_fresh_field_or_one_of_another_type_takes_a_new_column(site: Site, field: str) -> None:
    base, _, parked = parked_region(site)
    site.write("deal.yaml", f"change: table deal\nfields: {{region: {field}}}\n")
    assert site.state(base, parked, first_new=1000).identities["deal.region"] == 1000


def test_a_way_back_uses_the_identities_the_version_had(site: Site) -> None:
    first = site.state()
    second = changed(site, first, deal=REGION)
    made = plan(second, first, facts_of(second), back=True)
    assert made.back and made.changes == (Removed("field", "deal.region"),)


REFUSED = {
    "another type": ("company", "size: {type: integer}", "size: {type: file}",
                     'company.yaml:7:3: "company.size" cannot turn from integer into file: values of type "file" are no '
                     "values of another type"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_lose_values_is_refused_with_reason_and_place(site: Site, case: str) -> None:
    name, old, new, message = REFUSED[case]
    base = site.state()
    text = (site.folder / "addons/shop" / f"{name}.yaml").read_text()
    assert old in text
    site.addon(f"{name}.yaml", text.replace(old, new))
    made = plan(base, site.state(base), facts_of(base))
    assert made.steps == () and message in "\n".join(map(str, made.problems)), made.problems
    assert "cannot be promoted" in as_text(made)


def test_a_column_removed_by_hand_stops_the_plan(site: Site) -> None:
    base = site.state()
    target = changed(site, base, deal=REGION)
    facts = facts_of(base)
    table = f"company_{base.identities['company']}"
    made = plan(base, target, facts_of(base, columns={**facts.columns, table: {"id": "bigint"}}))
    assert "is gone from the database" in str(made.problems[0])


def test_the_hash_ignores_what_users_move_and_nothing_else(site: Site) -> None:
    base = site.state()
    target = changed(site, base, deal=REGION)
    table = f"ticket_{base.identities['ticket']}"
    one, two = (plan(base, target, facts_of(base, rows={table: rows})) for rows in (10, 20))
    assert one.hash == two.hash and canonical(one.as_json()) != canonical(two.as_json())
    other = changed(site, base, deal=REGION.replace("text", "integer"))
    assert plan(base, other, facts_of(base)).hash != one.hash


SCRIPT = """
import sys
from pathlib import Path
from core.bm.versions.canonical import canonical
from core.bm.inputs.facts import Facts
from core.bm.planning.plan import plan
from core.bm.versions.state import EMPTY
from tests.core.bm.sites import Site
sys.stdout.buffer.write(canonical(plan(EMPTY, Site(Path(sys.argv[1])).state(), Facts()).as_json()))
"""


def test_the_same_input_gives_the_same_bytes_in_every_process(site: Site, project: Path) -> None:
    printed = {subprocess.run([sys.executable, "-c", SCRIPT, str(site.folder)], capture_output=True, check=True,
                              cwd=project, env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in "12"}
    assert len(printed) == 1 and len(printed.pop()) > 1000


def test_a_step_is_read_back_from_the_journal_as_it_was(site: Site) -> None:
    made = plan(EMPTY, site.state(), Facts())
    assert tuple(step_from_json(body) for body in made.as_json()["steps"]) == tuple(
        replace(step, note=str(step.note)) for step in made.steps)      # a plan is kept as a file says it


def test_forms_are_compared_node_by_node() -> None:
    before = State("a", {("form", "f"): {"children": [{"ref": "a", "tag": "field"}, {"ref": "b", "tag": "field"}]}}, {})
    after = State("b", {("form", "f"): {"children": [{"ref": "b", "tag": "field", "readonly": "true"},
                                                     {"ref": "a", "tag": "field"}]}}, {})
    assert diff(before, after) == (Changed("form", "f", (
        Property("children.b.readonly", "(absent)", "true"),
        Property("children (order)", ["a", "b"], ["b", "a"]))),)


REPORT = """
    report: deals
    sources: {deals: {of: deal, by: {company: company}, values: {total: sum(amount)}}}
    columns: {company: {}, total: {total: sum}}
    """
CHART = """
    chart: deals
    type: bar
    source: {report: deals}
    x: company
    y: [total]
    """
DASHBOARD = """
    dashboard: desk
    tiles: {deals: {chart: deals}, how_many: {kpi: {of: deal, value: count()}}}
    """


def test_reports_charts_and_dashboards_change_nothing_in_the_database(site: Site) -> None:
    base = site.state()
    target = changed(site, base, report=REPORT, chart=CHART, dashboard=DASHBOARD)
    made = plan(base, target, facts_of(base))
    assert kinds(made) == ["stage", "prepare", "flip"]
    assert [str(change.describe()) for change in made.changes] == ["report deals", "chart deals", "dashboard desk"]
    site.write("report.yaml", REPORT.replace("total: {total: sum}", "total: {total: average}"))
    site.write("dashboard.yaml", DASHBOARD.replace("{chart: deals}", "{chart: deals, width: 8}"))
    again = plan(target, site.state(target, first_new=1000), facts_of(target))
    assert kinds(again) == ["stage", "prepare", "flip"]
    assert again.changes == (
        Changed("report", "deals", (Property("columns.total.total", "sum", "average"),)),
        Changed("dashboard", "desk", (Property("tiles.deals.width", "(absent)", 8),)))
