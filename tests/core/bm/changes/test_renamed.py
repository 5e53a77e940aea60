"""Renames at promotion: values follow the field, however often it is renamed; a name that is taken again is new."""

from __future__ import annotations

import pytest

from core.errors import DefinitionError
from tests.core.bm.conftest import Live


def fields(live: Live, text: str) -> None:
    live.site.write("region.yaml", f"change: table deal\nfields:\n{text}")


def test_a_renamed_and_renamed_again_field_keeps_its_values(system: Live) -> None:
    fields(system, "  cell: {type: text}\n")
    system.promote()
    record = system.create("deal", title="A", cell="123")
    columns = system.columns()
    for name, was in (("mobile", "cell"), ("handy", "[mobile, cell]"), ("phone", "[handy, mobile, cell]")):
        fields(system, f"  {name}: {{type: text, was: {was}}}\n")
        system.promote()
        assert system.read("deal", record)[name] == "123"
    assert system.columns() == columns


def test_a_version_that_skips_renames_finds_the_oldest_name(system: Live) -> None:
    fields(system, "  cell: {type: text}\n")
    system.promote()
    record = system.create("deal", title="A", cell="123")
    fields(system, "  phone: {type: text, was: [handy, mobile, cell]}\n")
    system.promote()
    assert system.read("deal", record)["phone"] == "123"


def test_a_layer_that_was_written_for_the_old_name_still_applies(system: Live) -> None:
    fields(system, "  cell: {type: text}\n")
    system.site.write("later.yaml", "change: table deal\nfields:\n  cell: {title: Call}\nrules:\n"
                                    "  said: {check: cell is None or title is not None}\n")
    system.promote()
    record = system.create("deal", title="A", cell="123")
    fields(system, "  mobile: {type: text, was: cell}\n")
    # later.yaml stands before region.yaml: an older file that changes what a later one names
    system.site.write("zz_later.yaml", "change: table deal\nfields:\n  cell: {title: Call}\nrules:\n"
                                       "  said: {check: cell is None or title is not None}\n")
    system.site.write("later.yaml", None)
    system.promote()
    assert system.read("deal", record)["mobile"] == "123"
    titles = system.records(lambda records: records.session.system.model.tables["deal"].fields["mobile"].title)
    assert titles == "Call"


def test_a_name_that_is_taken_again_is_the_new_field(system: Live) -> None:
    fields(system, "  cell: {type: text}\n")
    system.promote()
    record = system.create("deal", title="A", cell="123")
    fields(system, "  mobile: {type: text, was: cell}\n  cell: {type: text, fresh: true}\n")
    system.promote()
    assert {name: system.read("deal", record)[name] for name in ("mobile", "cell")} == {"mobile": "123", "cell": None}
    system.records(lambda records: records.update("deal", [{"id": record, "_version": 1, "cell": "9"}]))
    system.site.write("other.yaml", "change: table deal\nrules:\n  said: {check: cell == '9'}\n")
    system.promote()
    assert system.read("deal", record)["cell"] == "9"


def test_what_a_new_release_removed_and_the_site_uses_is_told_once_with_all_users(system: Live) -> None:
    system.site.write("list.yaml", """
        list: sizes
        of: company
        columns: {name: {}, size: {}}
        order: [-size]
        filters:
          big: {where: size > 10 and kind == 'partner'}
        """)
    system.site.write("rule.yaml", "change: table company\nrules:\n  large: {check: size > 1 or name is None}\n")
    system.promote()
    addon = system.site.folder / "addons" / "shop"
    company, kinds = addon / "company.yaml", addon / "kinds.yaml"
    company.write_text(company.read_text().replace("  size: {type: integer}\n", ""))
    kinds.write_text(kinds.read_text().replace("  partner: {title: Partner}\n", ""))
    with pytest.raises(DefinitionError) as error:
        system.plan()
    site, shop = system.settings.metadata, addon
    assert [str(one) for one in error.value.problems] == [
        f'{shop}/company.yaml:1:1: "size" of table "company" is there in live, and "shop" has it no more, but it is in '
        f"use: list sizes ({site}/list.yaml:3:21), list sizes ({site}/list.yaml:4:10), list sizes "
        f"({site}/list.yaml:6:16), table company ({site}/rule.yaml:3:18)",
        f'{shop}/kinds.yaml:1:1: "partner" of choices "company_kind" is there in live, and "shop" has it no more, but it '
        f"is in use: list sizes ({site}/list.yaml:6:39)"]


def test_other_problems_are_told_as_ever(system: Live) -> None:
    system.site.write("rule.yaml", "change: table company\nrules:\n  large: {check: sise > 1}\n")
    with pytest.raises(DefinitionError) as error:
        system.plan()
    assert [one.message for one in error.value.problems] == ['"sise" is not on table "company" (did you mean "size"?)']
