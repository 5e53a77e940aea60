"""`import` with files that are broken, hostile or not what they seem: refused as a whole, or row by row with reasons."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli import main
from core.ed import table_file
from tests.scenarios.hostile import READER, SELLER, Crm

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(crm: Crm, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Import a file as somebody: the exit code and what was printed."""
    for name, value in crm.site.environment.items():
        monkeypatch.setenv(name, value)

    def run_(table: str, content: bytes | str, *options: str, user: str = "admin", mapping: str = "") -> tuple[int, str]:
        (tmp_path / "rows.csv").write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        (tmp_path / "map.yaml").write_text(mapping)
        more = ["--map", str(tmp_path / "map.yaml")] if mapping else []
        code = main(["--as", user, "import", table, str(tmp_path / "rows.csv"), *more, *options])
        printed = capfd.readouterr()
        return code, printed.out + printed.err
    return run_


def reasons(crm: Crm) -> dict[str, str]:
    """The last error file: row number -> reason."""
    last = max((crm.site.home / "imports").glob("*.errors.csv"), key=lambda path: path.stat().st_mtime_ns)
    with last.open(encoding="utf-8-sig", newline="") as file, table_file.long_cells():
        return {row["_row"]: row["_reason"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(("content", "told"), [
    (b"", "rows.csv: is empty"),
    (b"\n\n\n", "rows.csv: is empty"),
    (b"name,name\na,b\n", "rows.csv:1: there are 2 columns 'name'"),
    (b"name,\na,b\n", "rows.csv:1: column 2 has no name"),
    (b"name;city\na;b\n", ""),
    (b'name,city\n"a,b\nc,d\ne,f\n', "rows.csv:2: the row that begins here cannot be read"),
    (b'name,city\nx,y\n"a"b,c\n', "rows.csv:3: the row that begins here cannot be read"),
    (b"name,city\n\x81\xff\xff,b\n", "rows.csv:2: is neither utf-8 nor gb18030"),
    (b"\x00\x01\x02\x03" * 1000, "is this a CSV file?"),
    (b"PK\x03\x04" + b"\x00" * 500, "is no workbook that can be read"),
    ("name,contact_count\na,1\n", "contact_count"),
    ("name,_version\na,1\n", "_version"),
    ("name,created_by\na,1\n", "created_by"),
    ("name,nothing\na,1\n", "nothing"),
    ("name,parent.name\na,1\n", "failed 1"),
    ("ｎame,city\na,b\n", "ｎame"),
], ids=lambda value: repr(value)[:40])
def test_rows_50_to_52_a_file_that_does_not_fit_is_refused_as_a_whole(crm: Crm, run: Run, content: bytes | str, told: str) -> None:
    with crm.refused():
        code, printed = run("company", content, "--dry-run")
        if told:
            assert (code, run("company", content)[0]) == (1, 1)
            assert told in printed and "Traceback" not in printed


def test_rows_38_to_44_and_53_bad_rows_are_told_one_by_one_and_the_others_go_in(crm: Crm, run: Run) -> None:
    content = ("name,company,stage,amount,close_date,engage_date,product\n"
               "Good by csv,Z Company,won,5.00,2017-03-01,2017-01-01,\n"
               "Unbalanced,Z Company,won,NaN,,,\n"
               "Exact,Z Company,won,1.005,,,\n"
               "Huge,Z Company,won,1000000000000000,,,\n"
               "Late,Z Company,won,5,10000-01-01,,\n"
               "Ambiguous,Z Company,won,5,3/4/2017,,\n"
               "Choice,Z Company,Wone,5,,,\n"
               "Ragged,Z Company\n"
               "Ragged,Z Company,won,5,,,,,,\n"
               "N\x00L,Z Company,won,5,,,\n"
               + "x" * 200_000 + ",Z Company,won,5,,,\n"
               "No such,Nobody at all,won,5,,,\n"
               ",Z Company,won,5,,,\n"
               "Rule,Z Company,won,5,2017-01-01,2017-01-02,\n"
               "Required,Z Company,won,,,,\n")
    mapping = ("fields:\n  name: name\n  company: {column: company, by: name}\n  stage: stage\n  amount: amount\n"
               "  close_date: close_date\n  engage_date: engage_date\n  product: {column: product, by: name}\n")
    with crm.refused():
        code, printed = run("opportunity", content, "--dry-run", mapping=mapping)
    assert code == 1 and "failed 14" in printed
    code, printed = run("opportunity", content, mapping=mapping)
    assert code == 1 and "created 1," in printed and "failed 14" in printed
    found = reasons(crm)
    assert sorted(map(int, found)) == list(range(3, 17))
    assert all(found.values())
    assert crm.api("admin").get("/api/v1/opportunity", where="name == 'Good by csv'").json()["records"][0]["amount"] == "5.00"


def test_row_52_cells_that_look_like_formulas_are_text(crm: Crm, run: Run) -> None:
    cells = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "<script>alert(1)</script>", "'; drop table x; --", "{{7*7}}"]
    code, _ = run("tag", "name\n" + "\n".join(f'"{cell}"' for cell in cells) + "\n")
    assert code == 0
    for cell in cells:
        found = crm.api("admin").get("/api/v1/tag", where=f"name == \"{cell}\"").json()["records"]
        assert [record["name"] for record in found] == [cell]
    page = crm.browser("admin").get("/tags").text
    assert "<script>alert" not in page


def test_past_case_22_an_import_gives_no_right_that_its_user_has_not(crm: Crm, run: Run) -> None:
    theirs = crm.create("opportunity", name="Theirs", external_key="THEIRS")
    with crm.refused():
        for user, table in ((READER, "company"), (SELLER, "user"), (SELLER, "role_assignment"), (SELLER, "product")):
            code, printed = run(table, "name\nx\n" if table != "role_assignment" else "role\nadministrator\n", user=user)
            assert code == 1 and "Traceback" not in printed
        code, printed = run("opportunity", "external_key,name\nTHEIRS,Mine\n", "--match", "external_key", user=SELLER)
        assert code == 1 and "failed 1" in printed
        code, printed = run("opportunity", "name,target_margin\nx,50\n", user=SELLER)
        assert code == 1
    assert crm.api("admin").get(f"/api/v1/opportunity/{theirs}").json()["name"] == "Theirs"


@pytest.mark.parametrize(("mapping", "told"), [
    ("fields: [1, 2]", "map.yaml"), ("fields: &a {name: *a}", "map.yaml"), ("fields: !!python/object/apply:os.system [id]", "map.yaml"),
    ("fields: {name: name}\nfields: {name: city}", "map.yaml"), ("fields: {name: {column: name, value: x}}", "name"),
    ("fields: {name: {template: '{nothing}'}}", "nothing"), ("fields: {id: name}", "id"),
    ("fields: {name: {template: '{name.__class__}'}}", "__class__"), ("import: company\nencoding: nonsense\nfields: {name: name}", "nonsense"),
    ("delimiter: ab\nfields: {name: name}", "delimiter"), ("\x00", "map.yaml"), ("[" * 5000, "map.yaml"),
], ids=lambda value: str(value)[:40])
def test_past_case_31_a_mapping_that_is_none_is_refused_with_its_place(crm: Crm, run: Run, mapping: str, told: str) -> None:
    with crm.refused():
        code, printed = run("tag", "name\na\n", mapping=mapping)
    assert code == 1 and told in printed and "Traceback" not in printed
