"""A rename at a promotion is noted for those outside, and what people keep in live is written anew with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from core.bm.changes import renamed
from core.bm.versions import live
from core.ed import former_names
from core.ed.former import Translation
from tests.core.bm.conftest import Live

RENAMED = {"company.yaml": """
    table: firm
    was: company
    title: Company
    plural: Companies
    display: "{name}"
    fields:
      name: {type: text, max: 100}
      staff: {type: integer, was: size}
      kind: {type: choice, of: company_kind}
      parent: {type: link, to: firm}
    """}


def rename(system: Live) -> None:
    for name, content in RENAMED.items():
        system.site.addon(name, content)
    system.promote()


def noted(system: Live) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name in system.sql("select kind, name from bm.former_name")}


def test_a_rename_notes_identity_old_name_and_day(system: Live) -> None:
    assert noted(system) == set()
    before = dict(system.sql("select path, id from bm.member"))
    rename(system)
    rows = system.sql("select kind, name, means, noted_on from bm.former_name order by 1, 2")
    assert [row[:3] for row in rows] == [("field", "size", str(before["company.size"])),
                                         ("table", "company", str(before["company"]))]
    assert all(abs((datetime.now(UTC) - row[3]).total_seconds()) < 600 for row in rows)


def test_what_only_changes_its_table_s_name_is_no_rename(system: Live) -> None:
    rename(system)
    assert ("field", "name") not in noted(system)


def test_a_plan_that_is_refused_notes_nothing(system: Live) -> None:
    system.site.addon("company.yaml", RENAMED["company.yaml"].replace("to: firm", "to: nothing"))
    with pytest.raises(Exception, match="nothing"):
        system.promote()
    assert noted(system) == set()


def test_a_promotion_without_renames_notes_nothing(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    system.promote()
    assert noted(system) == set()


def test_going_back_notes_the_names_of_the_version_that_is_left(system: Live) -> None:
    rename(system)
    system.rollback()
    assert {("table", "firm"), ("field", "staff")} <= noted(system)
    with system.engine.connect() as connection:
        known = live.system(connection, system.version, system.plugins).former
    assert known.all == {"firm", "staff"}                               # company and size are names of now again


def translated(system: Live, work: str, *given: str) -> str:
    """What a translation makes of something, for core itself."""
    return str(system.records(lambda records: getattr(Translation(records.session), work)(*given)))


@pytest.mark.parametrize(("work", "given", "now"), [
    ("table", ("company",), "firm"), ("table", ("firm",), "firm"), ("table", ("nothing",), "nothing"),
    ("field", ("firm", "size"), "staff"), ("field", ("firm", "name"), "name"), ("field", ("deal", "size"), "size"),
    ("path", ("deal", "company.size"), "company.staff"), ("path", ("firm", "parent.parent.size"), "parent.parent.staff"),
    ("path", ("deal", "company.size.size"), "company.staff.size"), ("entry", ("firm", "-size"), "-staff"),
    ("entry", ("firm", "size:month"), "staff:month"),
    ("condition", ("firm", "size > 1 and name != 'size'"), "staff > 1 and name != 'size'"),
    ("condition", ("deal", "company.size > 1 or  company.parent.size is None"),
     "company.staff > 1 or  company.parent.staff is None"),
    ("condition", ("deal", "exists(all.company[size > 1])"), "exists(all.firm[staff > 1])"),
    ("condition", ("firm", "size > "), "size > "), ("condition", ("firm", "size > nothing"), "size > nothing"),
])
def test_what_is_said_in_old_names_is_read_in_those_of_now(system: Live, work: str, given: tuple[str, ...],
                                                           now: str) -> None:
    rename(system)
    assert translated(system, work, *given) == now


def test_a_condition_that_is_wrong_uses_no_name(system: Live) -> None:
    rename(system)

    def used(records: object) -> object:
        translation = Translation(records.session)  # type: ignore[attr-defined]
        translation.condition("firm", "size > nothing")
        return translation.used
    assert system.records(used) == {}


def test_a_name_ends_after_thirty_days(system: Live) -> None:
    rename(system)
    with system.engine.begin() as connection:
        connection.execute(text("update bm.former_name set noted_on = now() - interval '30 days 1 minute'"))
    assert translated(system, "table", "company") == "company" and translated(system, "field", "firm", "size") == "size"
    assert former_names.LIFE.days == 30


def test_a_new_field_under_the_name_is_the_new_one(system: Live) -> None:
    rename(system)
    system.site.write("more.yaml", "change: table firm\nfields: {size: {type: text, fresh: true}}\n")
    system.promote()
    assert translated(system, "field", "firm", "size") == "size"


def test_the_newest_of_two_renames_of_one_name_counts(system: Live) -> None:
    rename(system)
    system.site.write("more.yaml", "change: table firm\nfields: {size: {type: text, fresh: true}}\n")
    system.promote()
    system.site.write("more.yaml", "change: table firm\nfields: {extent: {type: text, was: size}}\n")
    system.promote()
    assert translated(system, "field", "firm", "size") == "extent"


def test_views_and_tokens_are_written_anew_with_the_flip_and_back(system: Live) -> None:
    state = {"where": "size > 1 and parent.size is None", "sort": ["-size", "name"], "columns": ["name", "parent.size"],
             "group": ["kind"], "search": "size"}
    system.site.write("things.yaml", "object: things\nof: company\n")
    system.promote()
    with system.engine.begin() as connection:
        connection.execute(text("insert into sys.saved_view (object, title, owner, state) values ('things', 'Large', 1,"
                                " cast(:state as jsonb))"), {"state": json.dumps(state)})
        connection.execute(text("insert into sys.account (user_id, login) values (1, 'ada')"))
        connection.execute(text("insert into sys.token (hash, account_id, name, scopes) select 'x'::bytea, id, 't',"
                                " '{read:company,write:deal,export}' from sys.account"))
    rename(system)
    said = {"where": "staff > 1 and parent.staff is None", "sort": ["-staff", "name"],
            "columns": ["name", "parent.staff"], "group": ["kind"], "search": "size"}
    assert system.sql("select state from sys.saved_view") == [(said,)]
    assert system.sql("select scopes from sys.token") == [(["read:firm", "write:deal", "export"],)]
    system.rollback()
    assert system.sql("select state from sys.saved_view") == [(state,)]
    assert system.sql("select scopes from sys.token") == [(["read:company", "write:deal", "export"],)]


def test_a_promotion_that_fails_before_its_flip_leaves_them(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.bm import switching
    with system.engine.begin() as connection:
        connection.execute(text("insert into sys.account (user_id, login) values (1, 'ada')"))
        connection.execute(text("insert into sys.token (hash, account_id, name, scopes) select 'x'::bytea, id, 't',"
                                " '{read:company}' from sys.account"))

    def fail(*rest: object) -> None:
        raise RuntimeError("as it is about to be told")
    monkeypatch.setattr(switching, "tell_live", fail)
    monkeypatch.setattr(renamed, "follow", lambda *rest: fail())
    with pytest.raises(RuntimeError):
        rename(system)
    assert system.version == 1 and system.sql("select scopes from sys.token") == [(["read:company"],)]
    with system.engine.connect() as connection:
        assert live.system(connection, 1, system.plugins).former.all == frozenset()   # names of now are no former ones


# Values of choices and states

FLOW = """
    workflow: ticket
    of: ticket
    field: stage
    states:
      {first}
      done: {{title: Done, phase: done}}
    transitions:
      finish: {{from: [{names}], to: done}}
    """
KINDS = "choices: company_kind\nvalues:\n"
STATE = {"where": "kind == 'customer' or parent.kind in ['partner', 'customer']", "columns": ["kind"]}


def keep(system: Live, state: dict[str, object], of: str = "company", name: str = "things") -> None:
    """A page of records, and a saved view of it."""
    system.site.write(f"{name}.yaml", f"object: {name}\nof: {of}\n")
    system.promote()
    with system.engine.begin() as connection:
        connection.execute(text("insert into sys.saved_view (object, title, owner, state) values (:name, 'Some', 1,"
                                " cast(:state as jsonb))"), {"state": json.dumps(state), "name": name})


def kinds(system: Live, values: str, answers: dict[str, str] | None = None) -> None:
    system.site.addon("kinds.yaml", KINDS + values)
    system.promote(answers)


def wheres(system: Live) -> list[str]:
    return [state["where"] for state, in system.sql("select state from sys.saved_view order by id")]


def test_views_follow_values_that_are_renamed_and_go_back_with_them(system: Live) -> None:
    keep(system, STATE)
    kinds(system, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    assert wheres(system) == ["kind == 'client' or parent.kind in ['partner', 'client']"]
    system.rollback()
    assert wheres(system) == [STATE["where"]]


def test_views_follow_values_that_are_merged_and_on_the_way_back_mean_each_of_them(system: Live) -> None:
    keep(system, STATE)
    kinds(system, "  any: {title: Any, was: [customer, partner]}\n")
    assert wheres(system) == ["kind == 'any' or parent.kind in ['any', 'any']"]
    with system.engine.begin() as connection:
        connection.execute(text("update sys.saved_view set state = '{\"where\": \"kind != ''any'' or kind in [''any'']\"}'"))
    system.rollback()
    assert wheres(system) == ["kind not in ('customer', 'partner') or kind in ['customer', 'partner']"]
    system.records(lambda records: records.page("company", ["id"], wheres(system)[0]))     # and they are understood


def test_views_follow_the_answer_of_what_becomes_of_a_removed_value(system: Live) -> None:
    system.create("company", name="Acme", kind="customer")
    keep(system, STATE)
    kinds(system, "  partner: {title: Partner}\n", {"choices company_kind.customer": "partner"})
    assert wheres(system) == ["kind == 'partner' or parent.kind in ['partner', 'partner']"]


def test_a_view_of_a_value_that_is_gone_stays_as_it_is(system: Live) -> None:
    keep(system, STATE)
    kinds(system, "  partner: {title: Partner}\n")
    assert wheres(system) == [STATE["where"]]


def test_views_follow_renamed_choices_and_tables_with_their_values(system: Live) -> None:
    keep(system, STATE)
    system.site.addon("kinds.yaml", None)
    system.site.addon("sorts.yaml", "choices: sort\nwas: company_kind\nvalues:\n  client: {was: customer}\n  partner: {}\n")
    system.site.addon("company.yaml", RENAMED["company.yaml"].replace("company_kind", "sort").replace(
        "      kind: {", "      sort: {was: kind, "))
    system.promote()
    assert wheres(system) == ["sort == 'client' or parent.sort in ['partner', 'client']"]
    assert translated(system, "condition", "firm", "kind == 'customer'") == "sort == 'client'"


def test_views_follow_states_of_the_table_and_of_those_under_it(system: Live) -> None:
    system.site.write("ticket.yaml", "change: table ticket\nfields:\n  stage: {type: state}\n")
    system.site.write("flow.yaml", FLOW.format(first="fresh: {title: Fresh, phase: open}", names="fresh"))
    keep(system, {"where": "stage == 'fresh'"}, "ticket", "tickets")
    keep(system, {"where": "stage != 'fresh' and amount > 1"}, "deal", "deals")
    system.site.write("flow.yaml", FLOW.format(first="new: {title: New, phase: open, was: fresh}", names="new"))
    system.promote()
    assert wheres(system) == ["stage == 'new'", "stage != 'new' and amount > 1"]
    for table in ("ticket", "deal"):
        assert translated(system, "condition", table, "stage == 'fresh'") == "stage == 'new'"
    system.rollback()
    assert wheres(system) == ["stage == 'fresh'", "stage != 'fresh' and amount > 1"]


def test_settings_and_numbers_that_are_counted_for_each_value_follow(system: Live) -> None:
    system.site.write("setting.yaml", "setting: usual\ntype: choice\nof: company_kind\ndefault: partner\n")
    system.site.write("number.yaml", 'sequence: number\nformat: "{number}"\nper: kind\n')
    system.site.write("company.yaml", "change: table company\nfields:\n  code: {type: sequence, sequence: number}\n")
    system.promote()
    with system.engine.begin() as connection:
        connection.execute(text("insert into sys.setting values ('setting.usual', '\"customer\"')"))
    for kind in ("customer", "customer", "customer", "partner"):
        system.create("company", name="Acme", kind=kind)
    kinds(system, "  any: {title: Any, was: [partner, customer]}\n")
    assert system.sql("select value from sys.setting where key = 'setting.usual'") == [("any",)]
    assert system.read("company", system.create("company", name="New", kind="any"))["code"] == "4"
    system.rollback()
    assert [system.read("company", system.create("company", name="New", kind=kind))["code"]
            for kind in ("customer", "partner")] == ["5", "5"]


@pytest.mark.parametrize(("work", "given", "now"), [
    ("value", ("company", "kind", "customer"), "buyer"), ("value", ("company", "kind", "client"), "buyer"),
    ("value", ("company", "kind", "partner"), "partner"), ("value", ("company", "kind", "none"), "none"),
    ("value", ("company", "name", "customer"), "customer"), ("value", ("company", "kind", None), "None"),
    ("value", ("company", "kind", ["client", "partner", "customer"]), "['buyer', 'partner']"),
    ("condition", ("deal", "company.kind in ['customer', 'client']"), "company.kind in ['buyer', 'buyer']"),
    ("condition", ("company", "kind == 'customer' and name == 'customer'"), "kind == 'buyer' and name == 'customer'"),
    ("condition", ("company", "kind == 'none'"), "kind == 'none'"),
])
def test_former_values_are_read_as_those_of_now_through_several_renames(system: Live, work: str, given: tuple[str, ...],
                                                                        now: str) -> None:
    kinds(system, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    kinds(system, "  buyer: {title: Buyer, was: [client, customer]}\n  partner: {title: Partner}\n")
    assert translated(system, work, *given) == now


def test_former_values_end_after_thirty_days_and_with_a_new_value_of_the_name(system: Live) -> None:
    kinds(system, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    kinds(system, "  client: {title: Client}\n  partner: {title: Partner}\n  customer: {title: Customer}\n")
    assert translated(system, "value", "company", "kind", "customer") == "customer"
    kinds(system, "  client: {title: Client, was: customer}\n  partner: {title: Partner}\n")
    assert translated(system, "value", "company", "kind", "customer") == "client"
    with system.engine.begin() as connection:
        connection.execute(text("update bm.former_name set noted_on = now() - interval '30 days 1 minute'"))
    assert translated(system, "value", "company", "kind", "customer") == "customer"
    assert translated(system, "condition", "company", "kind == 'customer'") == "kind == 'customer'"
