"""Renames at promotion: values follow the field, however often it is renamed; a name that is taken again is new."""

from __future__ import annotations

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
