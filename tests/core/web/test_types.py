"""All types at once on pages and by the API, and one of an addon's own: checked, promoted, written, found, exported."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack
from urllib.parse import quote
from zlib import crc32

import pytest
from sqlalchemy import Text, cast, literal, text, update
from sqlalchemy.exc import IntegrityError

from core.definition import load
from core.ed import mapping as mappings
from core.ed import table_file
from core.ed.exporting import Wanted, export, format_of
from core.ed.importing import Import
from core.ed.search_index import index_queue
from core.ed.session import Session
from core.plugins import Plugins
from core.settings import Settings
from core.web.accounts import digest
from tests.core.web.site import FIXTURES, Browser, Site, sample_site

OWN = FIXTURES / "own_types"
SYSTEM = (FIXTURES / "site" / "system.yaml").read_text().replace("[sample]", "[sample, geo]")
PLACE = {
    "name": "Harbour", "position": "54.3233, 10.1228", "names": ["Port", "Kiel; north"],
    "mails": ["a@example.com", "b@example.com"], "phones": ["0431 1234567", "+49 431 7654321"],
    "phone": "0431 999 888 ext. 5", "fax": "0431 555555", "site": "example.com", "number": "1,200", "size": "12.5",
    "height": "3.75 m", "share": "50", "rent": "1,000", "open": "true", "since": "2024-02-29", "seen": "2026-01-31T10:00",
    "opens": "09:30", "effort": "1 h 30 min", "kind": "shop", "kinds": ["shop", "office"], "color": "#1A7F37",
    "stars": "4", "tags": "vip, sea", "note": "one\ntwo", "story": "<p>By the <b>sea</b><script>x</script></p>",
    "data": '{"b": 1, "a": [true]}'}
WIRE = {
    "name": "Harbour", "position": "54.3233,10.1228", "names": ["Port", "Kiel; north"],
    "mails": ["a@example.com", "b@example.com"], "phones": ["0431 1234567", "+49 431 7654321"],
    "phone": "0431 999 888 ext. 5", "fax": "0431 555555", "site": "https://example.com", "number": 1200, "size": "12.5",
    "height": 3.75, "share": "50", "rent": "1000.00", "open": True, "since": "2024-02-29", "seen": "2026-01-31T09:00:00Z",
    "opens": "09:30", "effort": "PT1H30M", "kind": "shop", "kinds": ["shop", "office"], "color": "#1a7f37", "stars": 4,
    "tags": ["vip", "sea"], "note": "one\ntwo", "story": "<p>By the <b>sea</b></p>", "data": {"a": [True], "b": 1}}


def png(width: int, height: int) -> bytes:
    """A picture that is all header."""
    head = b"IHDR" + pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + head + pack(">I", crc32(head)) + b"\0" * 20


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("web"), {"system.yaml": SYSTEM}, (OWN,)) as found:
        yield found


@pytest.fixture
def ada(site: Site) -> Browser:
    return site.browser("ada")


def filled(browser: Browser, **changed: object) -> dict[str, object]:
    """The form of a new place as a browser sends it, filled in."""
    browser.get("/places/new")
    return {**browser.form("/places/new"), **PLACE, **changed}


def made(site: Site, browser: Browser, **changed: object) -> int:
    browser.post("/places/new", filled(browser, **changed))
    return int(browser.location.rstrip("/").rsplit("/", 1)[-1].partition("?")[0])


def test_a_form_takes_what_people_type_of_every_type_and_a_page_shows_it(site: Site, ada: Browser) -> None:
    id_ = made(site, ada)
    with site.records() as records:
        [record] = records.read("place", [id_])
        fields = records.session.system.model.tables["place"].fields
        assert {name: fields[name].type.to_wire(record[name], fields[name].properties) for name in WIRE} == WIRE
    page = ada.get(f"/places/{id_}")
    for part in ("<b>sea</b>", 'fill="#1a7f37"', "1:30", "9:30", "Port", "Kiel; north", "mailto:b@example.com",
                 "tel:0431999888;ext=5", "4 of 5 stars", "3.75", "geo:54.3233,10.1228", "vip"):
        assert part in page, part
    assert "<script>x" not in page
    before = site.read("place", id_)["_version"]
    ada.get(f"/places/{id_}?edit=1")
    ada.post(f"/places/{id_}", ada.form(f"/places/{id_}"))         # sent back as it came: nothing changes
    assert site.read("place", id_)["_version"] == before
    listed = ada.get("/places")
    assert "By the sea" in listed and "54.3233" in listed


@pytest.mark.parametrize(("name", "value"), [
    ("position", "54"), ("position", "-10,10"), ("phone", "nobody"), ("number", "1.5"), ("rent", "1.005"), ("rent", "NaN"),
    ("height", "inf"), ("since", "10000-01-01"), ("opens", "25:00"), ("effort", "soon"), ("kind", "palace"),
    ("color", "red"), ("stars", "9"), ("data", "{a:1}"), ("mails", ["nobody"]), ("name", "a\x00b"), ("story", "a\x00b"),
    ("tags", "x" * 60), ("seen", "2026-02-30T10:00"), ("names", ["x" * 300])])
def test_what_does_not_fit_is_told_beside_its_field_and_stays_as_typed(ada: Browser, name: str, value: object) -> None:
    page = ada.post("/places/new", filled(ada, **{name: value}), 422)
    assert f'id="f-{name}-problem"' in page


def test_a_lone_half_of_a_character_and_twenty_megabytes_are_refused(site: Site, ada: Browser) -> None:
    token = bearer(site, ada)
    body = b'{"name": "a\\ud800b", "tags": ["\\udfff"], "data": {"x": "\\ud800"}}'
    answer = call(site, token, "POST", "/api/v1/place", body, 422)
    assert {problem["field"] for problem in answer["errors"]} == {"name", "tags", "data"}
    call(site, token, "POST", "/api/v1/place", json.dumps({"name": "x", "note": "y" * 20_000_000}).encode(), 413)
    ada.post("/places/new", {"name": "x", "note": "y" * 20_000_000}, 413)


def test_a_list_survives_what_the_database_should_never_hold(site: Site, ada: Browser) -> None:
    id_ = made(site, ada, name="Poison")
    for name, value in (("since", "infinity"), ("seen", "-infinity"), ("effort", "178000000 years"), ("opens", "24:00")):
        with site.records() as records, pytest.raises(IntegrityError):
            stored = records.session.system.stored("place")
            records.session.connection.execute(update(stored.table).values(
                {stored.name(name): cast(literal(value, Text()), stored.column(name).type)}))
    with site.records() as records:
        stored = records.session.system.stored("place")
        odd = {"since": "'infinity'", "seen": "'-infinity'", "rent": "'NaN'",
               "stars": "99", "height": "'NaN'", "color": "'url(x)'", "site": "'javascript:x'"}
        for name in ("since", "seen"):
            records.session.connection.exec_driver_sql(
                f"alter table ed.{stored.table.name} drop constraint if exists {stored.name(name)}_years")
        sets = ", ".join(f"{stored.name(name)} = {value}" for name, value in odd.items())
        records.session.connection.exec_driver_sql(
            f"update ed.{stored.table.name} set {sets} where id = {id_}")
    for path in ("/places", f"/places/{id_}", f"/places/{id_}?edit=1"):
        page = ada.get(path)
        assert "Poison" in page and 'href="javascript:' not in page
    with site.records() as records:
        records.session.connection.exec_driver_sql(f"delete from ed.{stored.table.name} where id = {id_}")


def bearer(site: Site, browser: Browser) -> str:
    """A token of Ada's."""
    with site.owner.begin() as connection:
        connection.execute(text("insert into sys.token (hash, account_id, name) "
                                "select :hash, id, 'types' from sys.account where login = 'ada' on conflict do nothing"),
                           {"hash": digest("token-types")})
    return "token-types"


def call(site: Site, token: str, method: str, path: str, body: bytes | None, status: int) -> dict[str, object]:
    answer = site.browser().client.open(path, method=method, data=body, headers={
        "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return answer.get_json()


def test_the_api_gives_and_takes_every_type_in_wire_form(site: Site, ada: Browser) -> None:
    token = bearer(site, ada)
    made_ = call(site, token, "POST", "/api/v1/place", json.dumps({**WIRE, "name": "By wire"}).encode(), 201)
    found = call(site, token, "GET", f"/api/v1/place/{made_['id']}", None, 200)
    assert {name: found[name] for name in WIRE} == {**WIRE, "name": "By wire"}
    for where in ("opens < '10:00'", "effort > hours(1)", "'vip' in tags", "contains(story, 'sea')", "height == 3.75",
                  "stars >= 4", "'Port' in names", "data is not None", "starts_with(position, '54')"):
        page = call(site, token, "GET", f"/api/v1/place?where={quote(where + ' and name == ' + repr('By wire'))}", None, 200)
        assert len(page["records"]) == 1, where
    wrong = {"position": "here", "opens": "9", "tags": "vip", "color": 5, "stars": 0, "effort": "1h", "data": {"a": "\x00"}}
    answer = call(site, token, "POST", "/api/v1/place", json.dumps({"name": "x", **wrong}).encode(), 422)
    assert {problem["field"] for problem in answer["errors"]} == set(wrong)
    south = call(site, token, "POST", "/api/v1/place", b'{"name": "x", "position": "-1,1"}', 422)
    assert south["errors"][0]["message"] == "This lies in the south."


def test_searches_find_all_types_that_have_words(site: Site, ada: Browser) -> None:
    id_ = made(site, ada, name="Sought", tags="unheard", story="<p>nowhere <i>else</i></p>", position="12.5, 99.5",
               phones=["0431 7778899"], phone="0431 222333444")
    with site.records() as records:
        while index_queue(records.session.connection, records.session.system):
            pass
        for said in ("unheard", "nowhere else", "square12x99", "+494317778899", "222333444"):
            assert [hit.id for hit in records.search(said) if hit.table == "place"] == [id_], said


def test_what_was_exported_is_imported_as_it_was(site: Site, ada: Browser, tmp_path: Path) -> None:
    made(site, ada, name="There and back")
    fields = [*WIRE]
    with site.records() as records:
        session = records.session
        out = io.BytesIO()
        wanted = Wanted("place", tuple(fields), where="name == 'There and back'")
        assert export(session, wanted, format_of("csv", {}), out) == 1
        [before] = records.page("place", fields, "name == 'There and back'").records
    text_ = out.getvalue().decode("utf-8-sig").replace("There and back", "Back again")
    file = table_file.read(text_.encode(), "rows.csv", None, None)

    @contextmanager
    def session_of() -> Iterator[Session]:
        with site.records() as records:
            yield records.session

    with session_of() as session:
        mapping = mappings.plain(session.system.model.tables["place"], file.header, ())
    result = Import(session_of, "place", file, mapping, tmp_path, 100).run()
    assert (result.created, result.failed) == (1, 0), result.errors and result.errors.read_text()
    with site.records() as records:
        [after] = records.page("place", fields, "name == 'Back again'").records
    assert {name: after[name] for name in fields if name != "name"} == {
        name: before[name] for name in fields if name != "name"}


def test_pictures_are_looked_at_and_shown_and_nothing_else_is(site: Site, ada: Browser) -> None:
    def with_photo(content: bytes, name: str, status: int) -> str:
        values = {**filled(ada, name=name), "photo": (io.BytesIO(content), name)}
        return ada.post("/places/new", values, status)
    for content, name in ((b"<svg onload=x()/>", "x.svg"), (b"<html>", "x.png"), (png(500, 10), "wide.png"),
                          (png(0, 10), "flat.png"), (b"\x89PNG\r\n\x1a\n", "cut.png"), (b"%PDF-1.7", "x.pdf")):
        assert 'id="f-photo-problem"' in with_photo(content, name, 422), name
    with_photo(png(300, 200), "good.png", 303)
    id_ = int(ada.location.rstrip("/").rsplit("/", 1)[-1].partition("?")[0])
    assert f'<img src="/-/file/place/{id_}/photo?shown=1"' in ada.get(f"/places/{id_}")
    answer = ada.client.get(f"/-/file/place/{id_}/photo?shown=1")
    assert answer.headers["Content-Type"] == "image/png" and answer.get_data() == png(300, 200)


def test_what_check_says_of_a_type_of_an_addon(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "site", tmp_path / "site")
    (tmp_path / "site" / "system.yaml").write_text(SYSTEM)
    (tmp_path / "site" / "tables").mkdir()
    (tmp_path / "site" / "tables" / "spot.yaml").write_text(
        "table: spot\nfields:\n  at: {type: geo, south: true}\n  there: {type: geo, default: nowhere}\n"
        "  tag: {type: tags, search: contains}\n  many: {type: rating, many: true}\n"
        "  look: {type: image, accept: [image/svg+xml]}\n")
    plugins = Plugins.load([OWN])
    loaded = load([FIXTURES / "addons" / "sample", OWN / "geo"], tmp_path / "site", root=tmp_path, plugins=plugins)
    told = "\n".join(str(problem) for problem in loaded.problems)
    for said in ('south', '"nowhere" is no position', "several values are searched by words only", "many",
                 "pictures are of one of these media types"):
        assert said in told, told


def test_a_staged_picture_is_looked_at_when_it_is_linked(site: Site, ada: Browser) -> None:
    token = bearer(site, ada)
    for content, status in ((png(500, 10), 422), (png(40, 30), 201)):
        sent = site.browser().client.post("/api/v1/files", data={"file": (io.BytesIO(content), "a.png")}, headers={
            "Authorization": f"Bearer {token}"})
        assert sent.status_code == 201, sent.get_data(as_text=True)
        body = json.dumps({"name": "Staged", "photo": sent.get_json()["id"]}).encode()
        answer = call(site, token, "POST", "/api/v1/place", body, status)
        if status == 422:
            assert answer["errors"][0]["code"] == "image_size"
