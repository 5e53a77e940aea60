"""Upgrade steps of an addon: what becomes of the records that are there when it comes to a version."""

from __future__ import annotations

from textwrap import dedent

import pytest

from core.bm.changes.migrations import due
from core.bm.versions.state import EMPTY
from core.errors import Refused
from tests.core.bm.changes.test_fill import fields, told, values
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON, Site


def release(system: Live, version: str, **migrations: str) -> None:
    """A release of the addon, with migrations by version: v2_0_0."""
    system.site.addon("addon.yaml", f"addon: shop\nversion: {version}\n")
    for name, steps in migrations.items():
        of = name.removeprefix("v").replace("_", ".")
        system.site.addon(f"migrations/{of}.yaml", f"migration: {of}\nsteps:\n" + dedent(steps).strip("\n").replace(
            "\n", "\n  ").join(("  ", "\n")))


SPLIT = """
    names:
      split: company.name
      set: {first: "=before(name, ' ')", rest: "=part(name, ' ', 2)"}
    """
NAMES = ("first: {type: text}", "rest: {type: text}")


def people(system: Live) -> None:
    for name, size in (("Acme Ltd", 10), ("Globex Corp", 3), ("Initech", None)):
        system.create("company", name=name, size=size)


def no_name(system: Live, *lines: str) -> None:
    """The addon's table without the field that is split; what shows a record is its size."""
    text = ADDON["company.yaml"].replace('display: "{name}"', 'display: "{size}"')
    kept = [line for line in text.splitlines() if "  name:" not in line]
    system.site.addon("company.yaml", "\n".join(kept).rstrip() + "".join(f"\n          {line}" for line in lines) + "\n")


def rows(system: Live, *names: str) -> set[tuple[object, ...]]:
    found = system.records(lambda records: records.page("company", list(names)).records)
    return {tuple(row[name] for name in names) for row in found}


def test_a_field_is_split_and_nobody_is_asked_whether_it_was_renamed(system: Live) -> None:
    people(system)
    no_name(system, *NAMES)
    assert [question.key for question in system.plan().plan.questions] == ["rename company.name"]
    release(system, "2.0.0", v2_0_0=SPLIT)
    plan = system.plan().plan
    assert plan.questions == () and plan.problems == ()
    assert "company.name is split into first, rest" in [str(note) for note in plan.notes]
    system.promote()
    assert rows(system, "first", "rest") == {("Acme", "Ltd"), ("Globex", "Corp"), ("Initech", None)}


def test_fields_are_merged_where_a_condition_holds(system: Live) -> None:
    people(system)
    no_name(system, "label: {type: text}")
    system.site.addon("company.yaml", "\n".join(line for line in (system.site.folder / "addons/shop/company.yaml")
                                                .read_text().splitlines() if " size:" not in line).replace("{size}", "{kind}"))
    release(system, "1.1.0", v1_1_0="""
        label:
          merge: [company.name, company.size]
          set: {label: "=concat(name, ': ', text(size))"}
          where: size > 5
        """)
    assert "company.name, company.size become label" in [str(note) for note in system.plan().plan.notes]
    system.promote()
    assert sorted(map(str, rows(system, "label"))) == ["('Acme Ltd: 10',)", "(None,)"]


def test_a_field_moves_to_another_table(system: Live) -> None:
    people(system)
    acme = next(iter(system.records(lambda r: r.page("company", ["id"], filters={"name": "Acme Ltd"}).records)))["id"]
    fields(system, "deals: {type: lines, of: deal, by: company}")
    system.promote()
    system.create("deal", title="One", company=acme, amount=5)
    system.create("deal", title="Two", company=acme, amount=7)
    fields(system, "deals: {type: lines, of: deal, by: company}", "best: {type: decimal}")
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("amount: {type: decimal}", "note: {type: text}"))
    release(system, "2.0.0", v2_0_0="""
        amount: {move: deal.amount, set: {company.best: "=max(deals.amount)"}}
        """)
    assert "deal.amount moves to company.best" in [str(note) for note in system.plan().plan.notes]
    system.promote()
    assert values(system, "best") == {"Acme Ltd": 7, "Globex Corp": None, "Initech": None}


def test_a_field_that_is_there_is_filled_unseen_until_the_flip(system: Live) -> None:
    people(system)
    first = system.version
    release(system, "2.0.0", v2_0_0="""
        sizes: {fill: company, set: {size: 1}, where: size is None}
        kinds: {fill: company, set: {kind: customer}}
        """)
    system.promote()
    assert values(system, "size") == {"Acme Ltd": 10, "Globex Corp": 3, "Initech": 1}
    assert set(values(system, "kind").values()) == {"customer"}
    system.rollback(first)
    assert values(system, "size")["Acme Ltd"] == 10


def test_several_versions_are_done_in_one_promotion_and_read_what_the_earlier_ones_set(system: Live) -> None:
    people(system)
    no_name(system, "label: {type: text}", "rest: {type: text}")
    release(system, "3.0.0", v2_0_0=SPLIT, v3_0_0="""
        label: {merge: [company.first], set: {label: "=upper(first)"}, where: first != 'Globex'}
        """)
    system.promote()
    assert rows(system, "label", "rest") == {("ACME", "Ltd"), (None, "Corp"), ("INITECH", None)}


def test_a_new_system_runs_none_and_each_version_is_due_once(system: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Site.make(tmp_path_factory.mktemp("fresh"))
    other.addon("addon.yaml", "addon: shop\nversion: 2.0.0\n")
    other.addon("company.yaml", ADDON["company.yaml"].rstrip() + "\n          first: {type: text}\n")
    other.addon("migrations/2.0.0.yaml", "migration: 2.0.0\nsteps:\n  a: {fill: company, set: {first: x}}\n")
    fresh = other.state()
    assert due(EMPTY, fresh) == () and due(fresh, fresh) == ()
    people(system)
    no_name(system, *NAMES)
    release(system, "2.0.0", v2_0_0=SPLIT)
    system.promote()
    release(system, "2.0.1", v2_0_0=SPLIT.replace("' '", "'x'"))
    assert not [step for step in system.plan().plan.steps if step.kind == "fill"]


def test_what_the_version_before_does_not_know_is_told_at_its_place(system: Live) -> None:
    people(system)
    no_name(system, *NAMES)
    release(system, "2.0.0", v2_0_0=SPLIT.replace("before(name", "before(nome"))
    (one,) = told(system)
    assert "migrations/2.0.0.yaml:" in one and 'did you mean "name"?' in one
    with pytest.raises(Refused):
        system.promote()


def test_the_site_may_take_a_step_away(system: Live) -> None:
    people(system)
    fields(system, "grade: {type: integer}", "other: {type: integer}")
    release(system, "2.0.0", v2_0_0="""
        grade: {fill: company, set: {grade: 1}}
        other: {fill: company, set: {other: 2}}
        """)
    system.site.write("upgrade.yaml", "change: migration shop_2_0_0\nsteps: {grade: null}\n")
    system.promote()
    assert rows(system, "grade", "other") == {(None, 2)}


def test_going_back_and_forward_again_loses_nothing(system: Live) -> None:
    people(system)
    first = system.version
    no_name(system, *NAMES)
    release(system, "2.0.0", v2_0_0=SPLIT)
    system.promote()
    one = next(iter(system.records(lambda r: r.page("company", ["id", "_version"], filters={"first": "Acme"}).records)))
    version = system.read("company", one["id"])["_version"]
    system.records(lambda r: r.update("company", [{"id": one["id"], "_version": version, "rest": "Inc"}]))
    system.rollback(first)
    assert set(values(system, "size")) == {"Acme Ltd", "Globex Corp", "Initech"}
    system.create("company", name="New Firm")
    system.promote()
    assert rows(system, "first", "rest") == {("Acme", "Inc"), ("Globex", "Corp"), ("Initech", None), ("New", "Firm")}
