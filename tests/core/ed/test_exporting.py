"""Exports: what goes out, to whom, in which form, and how much memory it takes."""

from __future__ import annotations

import csv
import io
import itertools
import json
import threading
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ed import exporting
from core.ed.export_formats import Column, Csv, Json, JsonLines, Sheet, Xlsx, cell_text, safe, unsafe
from core.ed.exporting import Wanted, export, format_of
from core.ed.records import Records
from core.errors import BadRequest, Denied, NotFound
from tests.small_system import Small, small_system
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)
ROLES = {"roles/reporter.yaml": """
role: reporter
title: Reporter
grants:
  user: {read: true}
  company: {read: true, export: true}
  company.secret: {read: false}
  deal: {read: true, export: [owner]}
"""}


@pytest.fixture(scope="module")
def small(database, tmp_path_factory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("small"), ROLES) as system:
        with system.records() as records:
            records.create("role_assignment", [{"user": system.users["eve"], "role": "reporter"}])
        yield system


def name() -> str:
    """A name that no other test uses."""
    return f"E{next(NUMBERS)}"


def out(small: Small, wanted: Wanted, format_: str = "csv", user: str = "ada") -> bytes:
    file = io.BytesIO()
    with small.session(user, "page") as session:
        export(session, wanted, format_of(format_, {}), file)
    return file.getvalue()


def rows(small: Small, wanted: Wanted, user: str = "ada") -> list[list[str]]:
    return list(csv.reader(io.StringIO(out(small, wanted, "csv", user).decode("utf-8-sig"))))


def test_fields_paths_order_and_conditions_are_those_of_lists(small):
    company, one, two = name(), name(), name()
    id_ = small.create("company", name=company, city="Ulm")
    small.create("deal", name=one, company=id_, amount=Decimal("5"), key=one)
    small.create("deal", name=two, company=id_, amount=Decimal("1234.50"), key=two, closed=date(2099, 1, 2))
    found = rows(small, Wanted("deal", ("name", "company", "company.city", "amount", "closed"),
                               f"key in ['{one}', '{two}']", order=["-amount"]))
    assert found == [["name", "company", "company.city", "amount", "closed"],
                     [two, company, "Ulm", "1234.50", "2099-01-02"], [one, company, "Ulm", "5.00", ""]]


@pytest.mark.parametrize(("links", "header", "cells"), [
    ("title", ["company"], lambda id_, title: [title]), ("id", ["company"], lambda id_, title: [str(id_)]),
    ("both", ["company", "company.id"], lambda id_, title: [title, str(id_)])])
def test_a_link_is_told_by_its_title_its_id_or_both(small, links, header, cells):
    company, deal = name(), name()
    id_ = small.create("company", name=company)
    small.create("deal", name=deal, company=id_, key=deal)
    assert rows(small, Wanted("deal", ["company"], f"key == '{deal}'", links=links)) == [header, cells(id_, company)]


def test_headings_for_people_name_choices_as_people_do(small):
    deal = name()
    small.create("deal", name=deal, key=deal, stage="won")
    wanted = Wanted("deal", ["name", "stage"], f"key == '{deal}'", titles={"name": "Name", "stage": "Stage of it"})
    assert rows(small, wanted) == [["Name", "Stage of it"], [deal, "Won deal"]]


def test_json_is_what_the_api_sends_and_may_hold_lines(small):
    company, deal = name(), name()
    id_ = small.create("company", name=company)
    deal_id = small.create("deal", name=deal, key=deal, company=id_, amount=Decimal("1.5"),
                           lines=[{"item": "Anvil", "quantity": Decimal(2)}])
    wanted = Wanted("deal", ["name", "company", "amount", "lines"], f"key == '{deal}'")
    for found in (json.loads(out(small, wanted, "json"))["records"][0], json.loads(out(small, wanted, "jsonl"))):
        assert found["lines"][0]["item"] == "Anvil"
        assert {key: found[key] for key in ("id", "name", "company", "company_title", "amount")} == {
            "id": deal_id, "name": deal, "company": id_, "company_title": company, "amount": "1.50"}


def test_lines_are_exported_from_their_own_table(small):
    with pytest.raises(BadRequest, match="export them from there"):
        out(small, Wanted("deal", ["name", "lines"]))
    deal = name()
    small.create("deal", name=deal, key=deal, lines=[{"item": "Rope"}])
    assert rows(small, Wanted("line", ["deal", "item"], f"deal.key == '{deal}'")) == [["deal", "item"], [deal, "Rope"]]


def test_an_unknown_format_is_told_with_those_that_are_there(small):
    with pytest.raises(BadRequest, match="csv, json, jsonl, xlsx"):
        format_of("pdf", {})


# Rights

def test_without_the_right_nothing_goes_out(small):
    with unchanged(small.owner), pytest.raises(Denied, match="may not export this company"):
        out(small, Wanted("company"), user="bob")
    with pytest.raises(NotFound):
        out(small, Wanted("nothing"))


def test_only_records_go_out_on_which_the_user_has_the_right(small):
    mine, other = name(), name()
    small.create("deal", name=mine, key=mine, owner=small.users["eve"])
    small.create("deal", name=other, key=other, owner=small.users["ada"])
    with small.session("eve") as session:
        seen = {record["key"] for record in Records(session).page("deal", ["key"], f"key in ['{mine}', '{other}']",
                                                                  limit=10).records}
    assert seen == {mine, other}, "she reads both"
    assert rows(small, Wanted("deal", ["name"], f"key in ['{mine}', '{other}']"), "eve") == [["name"], [mine]]


def test_a_hidden_field_is_in_no_export(small):
    company = name()
    small.create("company", name=company, secret="4711")
    assert b"4711" not in out(small, Wanted("company", None, f"name == '{company}'"), "json", "eve")
    with pytest.raises(BadRequest) as hidden:
        out(small, Wanted("company", ["secret"]), user="eve")
    with pytest.raises(BadRequest) as unknown:
        out(small, Wanted("company", ["sekret"]), user="eve")
    assert str(hidden.value).replace("secret", "sekret") == str(unknown.value)


def test_who_took_what_out_is_written_down(small):
    company = name()
    small.create("company", name=company)
    out(small, Wanted("company", ["name"], f"name == '{company}'", order=["name"]), user="eve")
    assert small.sql("select table_name, format, fields, condition, rows, how, by from sys.export "
                     "order by id desc limit 1") == [
        ("company", "csv", ["name"], {"where": [f"name == '{company}'"], "order": ["name"]}, 1, "page",
         small.users["eve"])]


# Formulas: past case 38

TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("=+-@'\t\r\n \u200b\ufeff\u00a0＝＋－＠1a")))


@given(TEXTS)
@settings(deadline=None)
def test_past_case_38_no_cell_begins_like_a_formula(text):
    cell = safe(text)
    visible = next((sign for sign in cell if sign.isprintable() and not sign.isspace()), "x")
    assert visible not in "=+-@＝＋－＠"
    assert not cell or cell[0] not in "\t\r\n"
    assert unsafe(cell) == text, "and what is imported is what was exported"


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "\u200b=cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "-2+3", "＝1"])
def test_past_case_38_known_formulas(small, text):
    assert cell_text(text) == f"'{text}"
    assert cell_text(Decimal("-2.5")) == "-2.5", "a number is a number"


def test_a_workbook_holds_texts_and_numbers_and_no_formulas(small):
    company = name()
    small.create("company", name=f"=1+{company}", city="http://example.com", size=12, founded=date(1999, 12, 31),
                 revenue=Decimal("12.50"), vip=True)
    small.create("company", name=f"A{company}", founded=date(1900, 1, 5), revenue=Decimal("99999999999999.25"))
    fields = ["name", "city", "size", "founded", "revenue", "vip"]
    data = out(small, Wanted("company", fields, f"contains(name, '{company}')", order=["-name"]), "xlsx")
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    found = book.get_sheet_by_index(0).to_python()
    assert found[0] == fields
    told = {row[0]: row[1:] for row in found[1:]}
    assert told[f"=1+{company}"] == ["http://example.com", 12, date(1999, 12, 31), 12.5, True]
    assert told[f"A{company}"][2:4] == ["1900-01-05", "99999999999999.25"], "what a spreadsheet would get wrong"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet and b"hyperlink" not in sheet


# Memory: fault 30

class Counting:
    """Records that know how many of them are alive."""

    alive = 0
    most = 0

    @classmethod
    def batches(cls, count: int, size: int) -> Iterator[list[dict[str, object]]]:
        class Row(dict[str, object]):
            def __init__(self, number: int) -> None:
                super().__init__(id=number, name=f"Name {number}", moment=datetime(2024, 1, 1, tzinfo=UTC))
                cls.alive += 1
                cls.most = max(cls.most, cls.alive)

            def __del__(self) -> None:
                cls.alive -= 1
        for start in range(0, count, size):
            yield [Row(number) for number in range(start, min(start + size, count))]


@pytest.mark.parametrize("format_", [Csv(), Json(), JsonLines(), Xlsx()], ids=lambda one: one.name)
def test_fault_30_ten_exports_at_once_hold_a_batch_each(format_):
    """Interleaved as threads would: each is at some batch, and none holds more than two of them."""
    Counting.alive = Counting.most = 0
    columns = [Column(key, key, lambda record, key=key: record[key], lambda record, key=key: {key: record[key]})
               for key in ("name", "moment")]
    threads = [threading.Thread(target=lambda: format_.write(
        Sheet("many", columns, Counting.batches(3_000, 100)), io.BytesIO())) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counting.most <= 10 * 2 * 100


def test_fault_30_memory_does_not_grow_with_the_rows(small, monkeypatch):
    marker = name()
    with small.records() as records:
        for start in range(0, 6_000, 2_000):
            records.create("company", [{"name": f"{marker} {number}", "city": marker}
                                       for number in range(start, start + 2_000)])
    monkeypatch.setattr(exporting, "BATCH", 100)

    class Nowhere(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            return len(data)

    def peak(where: str) -> int:
        with small.session("ada") as session:
            wanted = Wanted("company", ["name", "city"], where)
            export(session, wanted, Csv(), Nowhere())            # statements are kept from now on
            tracemalloc.start()
            count = export(session, wanted, Csv(), Nowhere())
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert count
        return found
    few, many = peak(f"city == '{marker}' and name < '{marker} 3'"), peak(f"city == '{marker}'")
    assert many < few + 60_000, "about 200 bytes a row would be a million more"


def test_an_export_is_of_one_moment(small, monkeypatch):
    monkeypatch.setattr(exporting, "BATCH", 2)
    marker = name()
    with small.records() as records:
        records.create("company", [{"name": f"{marker} {number}", "city": marker} for number in range(6)])

    class Meddling(io.BytesIO):
        written = False

        def write(self, data) -> int:
            if not self.written and marker.encode() in data:
                self.written = True
                small.create("company", name=f"{marker} late", city=marker)
            return super().write(data)
    file = Meddling()
    with small.session("ada") as session:
        assert export(session, Wanted("company", ["name"], f"city == '{marker}'"), format_of("jsonl", {}), file) == 6
    assert b"late" not in file.getvalue()
    assert len(small.all("company", f"city == '{marker}'")) == 7
