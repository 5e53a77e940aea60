"""Files of every make and state: rows 50 to 54 of the bad inputs, workbooks, JSON."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from core.ed import mapping as mappings
from core.ed import table_file, workbook
from core.ed.importing import Import, Result
from core.errors import Denied, Refused
from tests.small_system import Small
from tests.unchanged import unchanged


@pytest.fixture
def take(small: Small, tmp_path: Path):
    """Import a file, its columns named as fields."""
    def do(data: bytes, name: str = "rows.csv", table: str = "company", user: str = "ada", mapping: str | None = None,
           match: tuple[str, ...] = ()) -> Result:
        file = table_file.read(data, name)
        if mapping is None:
            with small.session() as session:
                made = mappings.plain(session.system.model.tables[table], file.header, match)
        else:
            made = mappings.load(mapping.encode(), "map.yaml")
        return Import(lambda: small.session(user, "import"), table, file, made, tmp_path).run()
    return do


def reasons(result: Result) -> list[str]:
    assert result.errors is not None
    with result.errors.open(encoding="utf-8-sig", newline="") as file, table_file.long_cells():
        return [row["_reason"] for row in csv.DictReader(file)]


def book(rows: list[list[object]], sheets: tuple[str, ...] = ("one",)) -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    for sheet in sheets:
        page = made.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    made.close()
    return out.getvalue()


# Rows 50 and 51

def test_row_50_a_wrong_delimiter_or_encoding_writes_nothing(small):
    with unchanged(small.owner):
        assert table_file.read(b"name;city\na;b\n", "rows.csv").header == ("name", "city")
        with pytest.raises(Refused, match="no field 'name;city'"):        # the delimiter was said wrongly
            file = table_file.read(b"name;city\na;b\n", "rows.csv", delimiter=",")
            with small.session() as session:
                mappings.plain(session.system.model.tables["company"], file.header, ())
        with pytest.raises(Refused, match=r"rows.csv:2: is neither ascii"):
            table_file.read("name\nÉmile\n".encode(), "rows.csv", encoding="ascii")


def test_row_50_a_byte_order_mark_is_no_part_of_the_first_column(small, take):
    for number, encoding in enumerate(("utf-8-sig", "utf-16")):
        assert take(f"name,city\nMark{number},Ulm\n".encode(encoding)).created == 1
        assert small.all("company", f"name == 'Mark{number}'", ("name", "city"))[0]["city"] == "Ulm"


def test_row_51_nul_and_long_cells_are_errors_of_their_rows(small, take):
    result = take(b"name,city\nNul,a\0b\nLong," + b"x" * 200_000 + b"\nFine,Ulm\n")
    assert (result.created, result.failed) == (1, 2)
    assert [reason.partition(":")[0] for reason in reasons(result)] == ["city", "city"]


def test_row_51_an_unbalanced_quote_swallows_nothing(small):
    with unchanged(small.owner), pytest.raises(Refused, match="rows.csv:3: the row that begins here"):
        table_file.read(b'name,city\na,b\n"c,d\ne,f\n', "rows.csv")


# Rows 52 and 53

def test_row_52_headers_twice_and_ragged_rows(small, take):
    with pytest.raises(Refused, match="2 columns 'name'"):
        table_file.read(b"name,city,name\n", "rows.csv")
    result = take(b"name,city\nRagged1,a,b\nRagged2\nRagged3,Ulm\n")
    assert (result.created, result.failed) == (1, 2)
    assert reasons(result) == ["this row has 3 cells, the header has 2", "this row has 1 cells, the header has 2"]


def test_row_52_a_formula_is_a_text_and_the_error_file_defuses_it(small, take):
    result = take(b"name,city,size\nFormula1,=1+1,3\n=cmd|x,Ulm,many\n")
    assert (result.created, result.failed) == (1, 1)
    assert small.all("company", "name == 'Formula1'", ("city",))[0]["city"] == "=1+1"
    assert result.errors is not None and "'=cmd|x" in result.errors.read_text(encoding="utf-8-sig")
    mended = result.errors.read_bytes().replace(b"many", b"4")
    assert take(mended).created == 1
    assert small.all("company", "name == '=cmd|x'")


def test_row_53_many_rows_are_read_with_their_numbers():
    file = table_file.read(b"name\n" + b"x\n" * 1_000_000, "rows.csv")
    assert len(file.rows) == 1_000_000 and file.rows[-1].number == 1_000_001


def test_row_53_an_ambiguous_date_asks_for_its_format(small, take):
    result = take(b"name,founded\nAmbiguous,03/04/2001\n")
    assert result.failed == 1 and "founded" in reasons(result)[0]
    mapping = "fields: {name: name, founded: {column: founded, format: DD/MM/YYYY}}\n"
    assert take(b"name,founded\nAmbiguous,03/04/2001\n", mapping=mapping).created == 1
    assert small.all("company", "name == 'Ambiguous'", ("founded",))[0]["founded"] == date(2001, 4, 3)


def test_row_53_a_key_that_comes_twice_is_an_error_that_names_the_first(small, take):
    result = take(b"key,name\nTwice,a\nTwice,b\n", table="deal", match=("key",))
    assert (result.created, result.failed) == (1, 1)
    assert reasons(result) == ["the same key is in row 2"]


# Row 54: workbooks

def test_a_workbook_is_read_as_people_see_it(small, take):
    rows = [["name", "size", "founded", "vip"], ["Book1", 12, date(2001, 2, 3), True], ["Book2", None, None, False]]
    assert take(book(rows), "rows.xlsx").created == 2
    first, second = small.all("company", "name in ['Book1', 'Book2']", ("name", "size", "founded", "vip"))
    assert (first["size"], first["founded"], first["vip"]) == (12, date(2001, 2, 3), True)
    assert (second["size"], second["founded"], second["vip"]) == (None, None, False)


def test_a_sheet_is_chosen_by_name():
    data = book([["name"], ["x"]], ("one", "two"))
    assert table_file.read(data, "rows.xlsx", sheet="two").header == ("name",)
    with pytest.raises(Refused, match="there is no sheet 'three'; there are: one, two"):
        table_file.read(data, "rows.xlsx", sheet="three")


def test_numbers_and_moments_of_a_workbook_become_plain_text():
    for cell, expected in ((3.0, "3"), (0.1, "0.1"), (True, "true"), (datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00"),
                           (date(2024, 1, 2), "2024-01-02"), (1e300, "1e+300"), ("=1", "=1")):
        assert workbook._text(cell) == expected


def test_row_54_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    monkeypatch.setattr(workbook.subprocess, "run", lambda *a, **k: pytest.fail("it was opened"))
    with pytest.raises(Refused, match="times its size"):
        table_file.read(out.getvalue(), "rows.xlsx")


def test_row_54_too_many_parts_too_many_cells_and_no_workbook(monkeypatch):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    with pytest.raises(Refused, match="is no workbook"):
        table_file.read(out.getvalue(), "rows.xlsx")
    monkeypatch.setattr(workbook, "MOST_MEMBERS", 3)
    with pytest.raises(Refused, match="too much"):
        table_file.read(book([["name"]]), "rows.xlsx")
    with pytest.raises(Refused, match="old kind"):
        table_file.read(b"\xd0\xcf\x11\xe0" + b"\0" * 100, "rows.xls")


def test_row_54_entities_and_links_to_outside_are_not_followed(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("4711")
    source = book([["name"], ["x"]])
    out = io.BytesIO()
    entity = f'<!DOCTYPE x [<!ENTITY file SYSTEM "file://{secret}">]>'
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            if member.filename == "xl/sharedStrings.xml":
                head, _, rest = data.partition(b"?>")
                data = head + b"?>" + entity.encode() + rest.replace(b"<t>x</t>", b"<t>&file;</t>")
            new.writestr(member, data)
    try:
        file = table_file.read(out.getvalue(), "rows.xlsx")
    except Refused:
        return
    assert all("4711" not in cell for row in file.rows for cell in row.cells)


def test_row_54_what_kills_the_reader_is_a_refusal():
    broken = bytearray(book([["name"], ["x" * 100]]))
    place = broken.find(b"xl/worksheets/sheet1.xml")
    broken[place + 30:place + 60] = b"\xff" * 30
    with pytest.raises(Refused, match="rows.xlsx"):
        table_file.read(bytes(broken), "rows.xlsx")


# JSON

def test_json_is_read_as_list_as_lines_and_as_our_own_export(small, take):
    rows = [{"name": "J{0}1", "size": 3, "vip": True}, {"name": "J{0}2", "city": None, "revenue": "12.50"}]
    forms = (json.dumps(rows), "\n".join(map(json.dumps, rows)), json.dumps({"records": rows, "next": None}))
    for number, text in enumerate(forms):
        assert take(text.replace("{0}", str(number)).encode(), "rows.json").created == 2
        first = small.all("company", f"name == 'J{number}1'", ("size", "vip"))[0]
        assert (first["size"], first["vip"]) == (3, True)


@pytest.mark.parametrize(("text", "expected"), [
    ('[{"name": "a"}, 3]', "record 2: is no object"), ('{"name": "a"}\n{"name": \n', "rows.json:2: is no JSON"),
    ('{"a":[' * 100_000, "nested too deep|is no JSON"), ('[{}]', "is empty")])
def test_json_that_is_none_is_refused_with_its_place(text, expected):
    with pytest.raises(Refused, match=expected):
        table_file.read(text.encode(), "rows.json")


# Past case 22

def test_past_case_22_an_import_goes_through_the_rights_of_its_user(small, take):
    """Rows of others and hidden columns are errors, row by row; nobody gets past the service by a file."""
    with small.records() as records:
        records.create("deal", [{"name": "Case22", "key": "case22", "owner": small.users["ada"]}])
    with unchanged(small.owner):
        result = take(b"key,name\ncase22,Stolen\n", table="deal", user="bob", match=("key",))
        assert (result.updated, result.created, result.failed) == (0, 0, 1)
        hidden = take(b"name,secret\nCase22,x\n", user="bob")
        assert (hidden.created, hidden.failed) == (0, 1)
        assert reasons(hidden) == ["secret: There is no such field."]
        with pytest.raises(Denied):
            take(b"name\nx\n", table="team", user="bob")
    assert small.all("deal", "key == 'case22'")[0]["name"] == "Case22"
