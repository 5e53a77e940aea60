"""Imports: what a file and a mapping become, what is refused and why, resuming, reverting."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.event import listen, remove

from core.ed import mapping as mappings
from core.ed import table_file
from core.ed.importing import Import, Result
from core.ed.reverting import revert
from core.ed.session import Session
from core.errors import Denied, NotFound, Refused
from tests.small_system import Small
from tests.unchanged import unchanged
from tests.work import calls

NUMBERS = itertools.count(1)
CALLS_A_ROW = 340
Sessions = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def begin(small: Small, tmp_path: Path):
    """Begin an import: `begin("company", CSV, MAPPING)`; without a mapping the columns are named as the fields."""
    def make(table: str, content: str | bytes, mapping: str | None = None, *, match: tuple[str, ...] = (),
             user: str = "ada", batch: int = 2_000, sessions: Sessions | None = None) -> Import:
        data = content.encode() if isinstance(content, str) else content
        read = mappings.load(mapping.encode(), "map.yaml") if mapping else None
        file = table_file.read(data, "rows.csv", read.encoding if read else None, read.delimiter if read else None)
        if read is None:
            with small.session() as session:
                read = mappings.plain(session.system.model.tables[table], file.header, match)
        return Import(sessions or (lambda: small.session(user, "import")), table, file, read, tmp_path, batch)
    return make


def counts(result: Result) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, result.failed


def reasons(result: Result) -> dict[str, str]:
    """The error file: row number -> reason."""
    assert result.errors is not None
    with result.errors.open(encoding="utf-8-sig", newline="") as file, table_file.long_cells():
        return {row["_row"]: row["_reason"] for row in csv.DictReader(file)}


def name() -> str:
    """A name that no other test uses."""
    return f"N{next(NUMBERS)}"


# What becomes of the rows

def test_columns_named_as_fields_need_no_mapping(small, begin):
    one, two = name(), name()
    result = begin("company", f"name,city,size,vip\n{one},Berlin,\"1,200\",yes\n{two},,,\n").run()
    assert counts(result) == (2, 0, 0, 0)
    first, second = small.all("company", f"name in ['{one}', '{two}']", ("name", "city", "size", "vip"))
    assert (first["city"], first["size"], first["vip"]) == ("Berlin", 1200, True)
    assert (second["city"], second["size"], second["vip"]) == (None, None, None)


def test_a_mapping_says_how_each_case_is_met(small, begin):
    company, deal = name(), name()
    small.create("company", name=company)
    result = begin("deal", f"""id,what,who,account,state,from,until,value
{deal}a,GTXPro,Ada,{company},Won,20-10-2016,01-03-2017,"1,054.50"
{deal}b,GTXPro,Bob,null,Prospecting,,,
""", """
import: deal
match: key
nulls: ["null"]
fields:
  key:     id
  name:    {template: ["{what} for {company}", "{what}"]}
  company: {column: account, by: name}
  owner:   {column: who, by: name}
  stage:   {column: state, values: {Won: won, Prospecting: open}}
  begun:   {column: from, format: DD-MM-YYYY}
  closed:  {column: until, format: DD-MM-YYYY}
  amount:  value
  chance:  {value: 50}
""").run()
    assert counts(result) == (2, 0, 0, 0)
    fields = ("name", "company", "owner", "stage", "begun", "closed", "amount", "chance", "code")
    one, two = small.all("deal", f"key in ['{deal}a', '{deal}b']", fields)
    assert (one["name"], one["company_title"], one["owner_title"]) == (f"GTXPro for {company}", company, "Ada")
    assert (one["stage"], one["begun"], one["closed"]) == ("won", date(2016, 10, 20), date(2017, 3, 1))
    assert (one["amount"], one["chance"]) == (Decimal("1054.50"), 50)
    assert (two["name"], two["company"], two["owner_title"], two["stage"]) == ("GTXPro", None, "Bob", "open")
    assert two["begun"] is None, "an empty cell is empty, and no default fills it"
    assert one["code"] and two["code"] and one["code"] != two["code"]


def test_values_are_mapped_before_a_template_is_filled(small, begin):
    key = name()
    begin("deal", f"id,what\n{key},GTXPro\n", """
fields:
  key:  id
  name: {column: what, values: {GTXPro: GTX Pro}}
""").run()
    assert small.all("deal", f"key == '{key}'")[0]["name"] == "GTX Pro"


def test_choices_are_known_by_name_and_by_title(small, begin):
    key = name()
    begin("deal", f"key,name,stage\n{key}a,x,won\n{key}b,x,Won deal\n").run()
    found = small.all("deal", f"key in ['{key}a', '{key}b']", ("stage",))
    assert [record["stage"] for record in found] == ["won", "won"]


def test_empty_cells_keep_what_is_there_if_the_mapping_says_so(small, begin):
    key = name()
    small.create("company", name=key, city="Berlin", size=5)
    mapping = "match: name\nfields:\n  name: name\n  city: {column: city, empty: keep}\n  size: size\n"
    assert counts(begin("company", f"name,city,size\n{key},,\n", mapping).run()) == (0, 1, 0, 0)
    assert small.all("company", f"name == '{key}'", ("city", "size"))[0]["city"] == "Berlin"
    assert small.all("company", f"name == '{key}'", ("city", "size"))[0]["size"] is None


def test_match_updates_what_is_there_and_creates_the_rest(small, begin):
    known, new = name(), name()
    id_ = small.create("company", name=known, city="Bonn")
    result = begin("company", f"name,city\n{known},Berlin\n{new},Paris\n", match=("name",)).run()
    assert counts(result) == (1, 1, 0, 0)
    assert small.read("company", id_)["city"] == "Berlin"
    version = small.read("company", id_)["_version"]
    again = begin("company", f"name,city\n{known},Berlin\n{new},Paris\n", match=("name",)).run()
    assert counts(again) == (0, 0, 2, 0)
    assert small.read("company", id_)["_version"] == version, "a row that changes nothing writes nothing"


def test_a_tree_in_one_file_may_stand_in_any_order(small, begin):
    root, child, leaf = name(), name(), name()
    mapping = "match: name\nfields:\n  name: name\n  parent: {column: above, by: name}\n"
    result = begin("company", f"name,above\n{leaf},{child}\n{child},{root}\n{root},\n", mapping).run()
    assert counts(result) == (3, 0, 0, 0)
    found = {r["name"]: r["parent_title"] for r in small.all(
        "company", f"name in ['{root}', '{child}', '{leaf}']", ("name", "parent"))}
    assert found == {root: None, child: root, leaf: child}


def test_unknown_links_are_errors_or_created_or_left_empty(small, begin):
    key, boss = name(), name()
    content = f"name,boss\n{key}%s,{boss}%s\n"
    mapping = "match: name\nfields:\n  name: name\n  manager: {column: boss, by: name, unknown: %s}\n"
    refused = begin("user", content % (1, 1), mapping % "error").run()
    assert reasons(refused) == {"2": f'manager: there is no user with name "{boss}1"'}

    skipped = begin("user", content % (2, 2), mapping % "skip").run()
    assert counts(skipped) == (1, 0, 0, 0) and skipped.skipped == {("manager", f"{boss}2"): 1}

    created = begin("user", content % (3, 3), mapping % "create, with: {job: Boss}").run()
    assert counts(created) == (1, 0, 0, 0)
    assert small.all("user", f"name == '{boss}3'", ("job",))[0]["job"] == "Boss"


def test_rows_of_one_record_are_merged_where_the_mapping_says_so(small, begin):
    team = name()
    content = f"agent,office\nAda,{team}\nBob,{team}\nEve,{team}\n"
    mapping = "match: name\n%sfields:\n  name: office\n  members: {column: agent, by: name, add: true}\n"
    plain = begin("team", content, mapping % "").run()
    assert counts(plain) == (1, 0, 0, 2)
    assert reasons(plain)["4"] == "the same name is in row 2"

    merged = begin("team", content, mapping % "repeated: merge\n").run()
    assert counts(merged)[3] == 0
    found = small.all("team", f"name == '{team}'", ("members",))
    assert [set(record["members"]) for record in found] == [set(small.users.values())]
    assert counts(begin("team", content, mapping % "repeated: merge\n", batch=1).run())[:2] == (0, 0)


# What is refused

@pytest.mark.parametrize(("content", "expected"), [
    (b"", "rows.csv: is empty"),
    (b"name,name\na,b\n", "rows.csv:1: there are 2 columns 'name'"),
    (b"name,\na,b\n", "rows.csv:1: column 2 has no name"),
    (b"PK\x03\x04\x00\x00,\x01\n", "rows.csv: is no workbook that can be read"),
    (b"a\x04b,\x01\n", "rows.csv:1: the name of column 1 holds signs that cannot be seen"),
    (b'name,city\n"a,b\nc,d\n', "rows.csv:2: the row that begins here cannot be read"),
    (b'name,city\nx,y\n"a"b,c\n', "rows.csv:3: the row that begins here cannot be read"),
    (b"name,city\n\x81\xff\xff,b\n", "rows.csv:2: is neither utf-8 nor gb18030"),
])
def test_a_file_that_cannot_be_read_is_refused_with_the_line(small, begin, content, expected):
    with unchanged(small.owner), pytest.raises(Refused) as caught:
        begin("company", content, "fields: {name: name}\nignore: [city]\n")
    assert expected in str(caught.value)


@pytest.mark.parametrize(("mapping", "expected"), [
    ("fields: {name: nam}\nignore: [name, city]", "the file has no column 'nam'; it has: name, city"),
    ("fields: {name: name}", "the column 'city' goes nowhere; map it, or name it under `ignore`"),
    ("fields: {nmae: name, city: city}", "there is no field 'nmae' in table 'company'"),
    ("fields: {name: name, parent: {column: city, by: nome}}", "parent: by: 'nome' is not a text field"),
    ("fields: {name: name, city: {column: city, by: name}}", "city: `by` is for links"),
    ("fields: {name: name, city: {column: city, format: DD}}", "city: a format is for dates"),
    ("fields: {name: name, founded: {column: city, format: '%d'}}", "founded: a format is for dates"),
    ("fields: {name: name, city: {column: city, value: x}}", "city: say one of column, template, value"),
    ("match: size\nfields: {name: name, city: city}", "match: 'size' is not among the fields"),
    ("import: deal\nfields: {name: name, city: city}", "the mapping is for 'deal', not for 'company'"),
    ("fields: {name: name, city: city}\nrepeated: merge", "rows can only be merged by a match"),
    ("fields: {name: name, parent: {column: city, unknown: create}}", "needs a link found `by` a field"),
])
def test_a_mapping_that_does_not_fit_is_refused(small, begin, mapping, expected):
    with unchanged(small.owner), pytest.raises(Refused) as caught:
        begin("company", "name,city\na,b\n", mapping + "\n").run()
    assert expected in str(caught.value)
    assert small.sql("select count(*) from sys.import where file_name = 'rows.csv' and state = 'running'") == [(0,)]


@pytest.mark.parametrize(("mapping", "expected"), [
    ("fields:\n  name: {colum: name}\n", "map.yaml:2:10: fields.name.colum: Extra inputs are not permitted"),
    ("fields:\n  name: name\n  name: city\n", "map.yaml:3:3"),
    ("fields: {}\n", "map.yaml:1:1: fields"),
    ("unknown: [", "map.yaml:1"),
    ("fields:\n  name: {column: a, empty: drop}\n", "map.yaml:2:21: fields.name.empty"),
])
def test_a_mapping_file_with_mistakes_is_refused_with_their_places(mapping, expected):
    with pytest.raises(Refused) as caught:
        mappings.load(mapping.encode(), "map.yaml")
    assert expected in str(caught.value)


def test_bad_rows_go_to_the_error_file_and_the_others_in(small, begin):
    key, long = name(), "x" * 200_000
    content = (f"key,name,stage,amount,chance,begun,closed\n"
               f"{key}1,good,won,5,,2017-01-01,\n"
               f"{key}2,bad stage,Wone,5,,2017-01-01,\n"
               f"{key}3,bad amount,won,1.005,,2017-01-01,\n"
               f"{key}4,bad date,won,5,,2024-02-30,\n"
               f"{key}5,ambiguous,won,5,,3/4/2017,\n"
               f"{key}6,ragged,won,5\n"
               f"{key}7,{long},won,5,,2017-01-01,\n"
               f"{key}8,nul\0,won,5,,2017-01-01,\n"
               f"{key}9,rule,won,5,,2017-01-02,2017-01-01\n"
               f"{key}1,doubled,won,5,,2017-01-01,\n"
               f"{key}a,,won,5,,2017-01-01,\n"
               f"{key}b,too much,won,5,101,2017-01-01,\n"
               f",no key,won,5,50,2017-01-01,\n"
               f"{key}c,good too,won,5,50,2017-01-01,\n")
    result = begin("deal", content, match=("key",)).run()
    assert counts(result) == (2, 0, 0, 12)
    found = reasons(result)
    assert found["3"] == 'stage: "Wone" is not one of the choices; map it under `values`.'
    assert found["4"] == "amount: This may have 2 decimals."
    assert found["5"] == 'begun: "2024-02-30" is not a date.'
    assert found["6"] == 'begun: "3/4/2017" is not a date.'
    assert found["7"] == "this row has 4 cells, the header has 7"
    assert "name: This may have 200 characters" in found["8"]
    assert found["9"] == "name: This holds a character that text cannot hold."
    assert "It closes before it begins." in found["10"]
    assert found["11"] == "the same key is in row 2"
    assert found["12"] == "name: This must be filled in."
    assert found["13"] == "chance: This must be 100 or less."
    assert found["14"] == "the row cannot be found again: key must be filled in"
    names = [record["name"] for record in small.all("deal", f"key in ['{key}1', '{key}c']")]
    assert names == ["good", "good too"]


def test_the_error_file_can_be_mended_and_imported(small, begin, tmp_path):
    key = name()
    result = begin("company", f"name,size\n{key}a,1\n{key}b,many\n", match=("name",)).run()
    assert result.errors is not None
    mended = result.errors.read_text(encoding="utf-8-sig").replace("many", "7")
    assert counts(begin("company", mended, match=("name",)).run()) == (1, 0, 0, 0)
    assert small.all("company", f"name == '{key}b'", ("size",))[0]["size"] == 7


def test_a_name_that_two_records_have_is_not_guessed(small, begin):
    key = name()
    small.create("deal", name=key)
    small.create("deal", name=key)
    result = begin("deal", f"name,stage\n{key},won\n", match=("name",)).run()
    assert reasons(result) == {"2": "several records have the same name"}


def test_a_seller_imports_with_a_sellers_rights(small, begin):
    key = name()
    with unchanged(small.owner), pytest.raises(Denied):
        begin("team", f"name\n{key}\n", user="bob").run()
    result = begin("company", f"name,secret\n{key},x\n", user="bob").run()
    assert counts(result) == (0, 0, 0, 1)
    foreign = small.create("deal", key=key, name="Eve's", owner=small.users["eve"])
    result = begin("deal", f"key,name\n{key},mine now\n", match=("key",), user="bob").run()
    assert counts(result) == (0, 0, 0, 1), "a record that may not be seen is neither changed nor doubled"
    assert small.read("deal", foreign)["name"] == "Eve's"


# Encodings and delimiters

@pytest.mark.parametrize(("encoding", "delimiter"), [
    ("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", "\t"), ("utf-16", "|"), ("gbk", ",")])
def test_encoding_and_delimiter_are_guessed(small, begin, encoding, delimiter):
    key = name() + "公司"
    content = f"name,city\r\n{key},北京\r\n".replace(",", delimiter).encode(encoding)
    assert counts(begin("company", content).run()) == (1, 0, 0, 0)
    assert small.all("company", f"name == '{key}'", ("city",))[0]["city"] == "北京"


def test_an_encoding_can_be_given(small, begin):
    key = name()
    content = f"name,city\n{key},Köln\n".encode("cp1252")
    mapping = "encoding: cp1252\nfields: {name: name, city: city}\n"
    begin("company", content, mapping).run()
    assert small.all("company", f"name == '{key}'", ("city",))[0]["city"] == "Köln"


# Batches: killed, resumed, doubled, tried out, reverted

class Killed(BaseException):
    """As if the process had been killed."""


def test_fault_31_a_killed_import_goes_on_where_it_was_and_doubles_nothing(small, begin):
    key = name()
    content = "name,size\n" + "".join(f"{key}-{n},{'bad' if n % 5 == 0 else n}\n" for n in range(50))
    opened = itertools.count(1)

    def dying() -> AbstractContextManager[Session]:
        if next(opened) == 4:                     # the check, two batches, and then
            raise Killed
        return small.session("ada", "import")

    first = begin("company", content, batch=10, sessions=dying)
    with pytest.raises(Killed):
        first.run()
    assert len(small.all("company", f"starts_with(name, '{key}-')")) == 16
    second = begin("company", content, batch=10).run()
    assert second.id == first.result.id and second.resumed_at == 20
    assert counts(second) == (40, 0, 0, 10)
    assert len(small.all("company", f"starts_with(name, '{key}-')")) == 40
    assert sorted(map(int, reasons(second))) == list(range(2, 52, 5)), "errors of the run before are kept, once each"


def test_fault_31_a_batch_that_dies_half_way_leaves_nothing_of_itself(small, begin):
    key = name()
    content = "name\n" + "".join(f"{key}-{n}\n" for n in range(20))

    def broken() -> AbstractContextManager[Session]:
        session = small.session("ada", "import")

        class Breaking:
            def __enter__(self) -> Session:
                self.opened = session.__enter__()
                return self.opened

            def __exit__(self, *details: object) -> object:
                written = self.opened.import_id is not None
                if not written:
                    return session.__exit__(*details)
                session.__exit__(Killed, Killed(), None)
                raise Killed
        return Breaking()

    with pytest.raises(Killed):
        begin("company", content, sessions=broken).run()
    assert small.all("company", f"starts_with(name, '{key}-')") == []
    assert counts(begin("company", content).run()) == (20, 0, 0, 0)


def test_a_file_without_a_match_is_not_imported_twice_by_mistake(small, begin):
    content = f"name\n{name()}\n"
    begin("deal", content).run()
    with unchanged(small.owner), pytest.raises(Refused, match="is in already"):
        begin("deal", content).run()
    assert counts(begin("deal", content).run(again=True)) == (1, 0, 0, 0)


def test_a_dry_run_says_what_would_happen_and_changes_nothing(small, begin):
    known, new = name(), name()
    small.create("company", name=known, size=1)
    with unchanged(small.owner):
        result = begin("company", f"name,size\n{known},2\n{new},3\n{new}x,bad\n", match=("name",)).try_out()
    assert counts(result) == (1, 1, 0, 1)
    assert list(reasons(result)) == ["4"]
    assert small.all("company", f"name == '{new}'") == []


def test_an_import_is_taken_back(small, begin):
    known, new, boss = name(), name(), name()
    id_ = small.create("user", name=known, job="Clerk")
    mapping = "match: name\nfields:\n  name: name\n  job: job\n  manager: {column: boss, by: name, unknown: create}\n"
    result = begin("user", f"name,job,boss\n{known},Head,{boss}\n{new},Clerk,{boss}\n", mapping).run()
    assert counts(result) == (1, 1, 0, 0)
    taken = revert(lambda: small.session("ada", "import"), result.id)
    assert (taken.trashed, taken.restored, taken.left) == (2, 1, [])
    assert small.all("user", f"name in ['{new}', '{boss}']") == []
    found = small.read("user", id_)
    assert (found["job"], found["manager"]) == ("Clerk", None)
    with pytest.raises(Refused, match="reverted already"):
        revert(lambda: small.session("ada", "import"), result.id)
    with pytest.raises(NotFound):
        revert(lambda: small.session("ada", "import"), 10**9)


def test_what_others_changed_since_stays_and_is_told(small, begin):
    known, used = name(), name()
    id_ = small.create("company", name=known, city="Bonn", size=1)
    result = begin("company", f"name,city,size\n{known},Berlin,2\n{used},Paris,3\n", match=("name",)).run()
    with small.records() as records:
        records.update("company", [{"id": id_, "city": "Kiel"}])
    needed = small.all("company", f"name == '{used}'")[0]["id"]
    small.create("deal", name="Needs it", company=needed)
    taken = revert(lambda: small.session("ada", "import"), result.id)
    assert (taken.trashed, taken.restored) == (0, 1)
    assert f"company {id_}: city was changed since" in taken.left
    assert any(line.startswith(f"company {needed}: It cannot be deleted") for line in taken.left)
    found = small.read("company", id_)
    assert (found["city"], found["size"]) == ("Kiel", 1)


def test_a_long_file_is_written_in_batches_each_its_own_transaction(small, begin):
    key = name()
    content = "key,name\n" + "".join(f"{key}-{n},x\n" for n in range(4_500))
    result = begin("deal", content, match=("key",)).run()
    assert counts(result) == (4_500, 0, 0, 0)
    assert small.sql("select count(distinct at) from sys.history where import_id = :id", id=result.id) == [(3,)]


def test_a_row_costs_few_calls_and_no_statement_of_its_own(small, begin):
    """The time of an import is what it does for each row; what can be done once is done once."""
    town, companies = name(), [name() for _ in range(10)]
    for company in companies:
        small.create("company", name=company, city=town)

    def deals(count: int) -> str:
        return "key,name,company.name,closed,amount,chance\n" + "".join(
            f"calls {name()},Deal {number},{companies[number % 10]},2099-01-02,1234.50,40\n" for number in range(count))
    sent: list[str] = []

    def note(*event: object) -> None:
        if not str(event[2]).startswith(("prepare", "deallocate")):       # once for a connection, whichever it is
            sent.append(str(event[2]))
    listen(small.engine, "before_cursor_execute", note)
    try:
        for _ in range(4):                                # statements are built once, and prepared
            begin("deal", deals(10)).run()
        found = []
        for count in (100, 400):
            job = begin("deal", deals(count))
            sent.clear()
            found.append((calls(job.run), len(sent)))
    finally:
        remove(small.engine, "before_cursor_execute", note)
    (few, few_sent), (many, many_sent) = found
    assert many_sent == few_sent, "the same statements for 400 rows as for 100"
    assert (many - few) / 300 < CALLS_A_ROW
