"""What broke others, tried on our pages: files, scripts in values and in titles, rights of fields that come and go, probes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from core.bm import service
from core.ed.accounts import create_user
from core.ed.files import FileStore, Upload, digest
from core.ed.search_index import index_queue, queue_all
from core.settings import Settings
from core.web.response import policy
from tests.core.web.api.conftest import token_for
from tests.core.web.site import HASH, Browser, Site, sample_site
from tests.core.web.test_files import ACTIVE, png
from tests.unchanged import digests
from tests.work import calls

LABEL = '"><img src=x onerror=alert(1)>\'</title></textarea><script>alert(1)</script>'
QUOTED = "'" + LABEL.replace("'", "''") + "'"
VALUES = (
    LABEL, "<script>alert(1)</script>", "<svg/onload=alert(1)>", "<iframe src=javascript:alert(1)>", "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)', "{{7*7}}{% raw %}", "</script><script>alert(1)</script>", "javascript:alert(1)",
    "<a href='java\tscript:alert(1)'>x</a>", "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<b onclick=alert(1)>bold</b>", "<img src='data:image/svg+xml,<svg onload=alert(1)>'>", "<form action=//evil.example><input>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>", "<base href=//evil.example>", "<style>*{x:expression(1)}</style>",
    "<div style='background:url(//evil.example)'>x</div>", "&lt;script&gt;alert(1)&lt;/script&gt;", "\u2028<script>\u2029")
MORE = {
    "tables/vault.yaml": f"table: vault\ntitle: {QUOTED}\nplural: {QUOTED}\ndisplay: '{{name}}'\n"
                         "keeps: [history, timeline, attachments]\nfields:\n"
                         f"  name:   {{type: text, required: true, search: contains, title: {QUOTED}, help: {QUOTED}}}\n"
                         "  note:   {type: memo, search: words}\n  story:  {type: html, search: words}\n"
                         f"  kind:   {{type: choice, of: vault_kind, title: {QUOTED}}}\n  tags:   {{type: tags}}\n"
                         "  data:   {type: json}\n  paper:  {type: file}\n  above:  {type: link, to: vault, on_delete: clear}\n"
                         f"  parts:  {{type: lines, of: vault_part, by: vault, title: {QUOTED}}}\n"
                         "rules:\n  short: {check: 'name != \"refused\"', message: " + QUOTED + "}\n",
    "tables/vault_part.yaml": f"table: vault_part\ntitle: {QUOTED}\ndisplay: '{{label}}'\nfields:\n"
                              "  vault: {type: link, to: vault, required: true, on_delete: cascade}\n"
                              f"  label: {{type: text, title: {QUOTED}}}\n",
    "choices/vault_kind.yaml": f"choices: vault_kind\nvalues:\n  one: {{title: {QUOTED}}}\n  two: {{}}\n",
    "objects/vaults.yaml": f"object: vaults\nof: vault\narea: setup\nicon: flask\ntitle: {QUOTED}\nlists: [vault]\n",
    "lists/vault.yaml": f"list: vault\nof: vault\ntitle: {QUOTED}\ncolumns: {{name: {{}}, note: {{}}, story: {{}}, kind: {{}}, tags: {{}}, "
                        "data: {}, above: {}}\norder: [name]\nviews: {kanban: {by: kind, card: [name, note]}}\n"
                        f"filters:\n  evil: {{where: kind == 'one', title: {QUOTED}}}\n",
    "roles/keeper.yaml": f"role: keeper\ntitle: {QUOTED}\ngrants:\n  vault: {{read: true, change: true}}\n"
                         "  vault.paper: {read: false, change: false}\n",
    "roles/outsider.yaml": "role: outsider\nkind: portal\ngrants:\n  company: {read: true}\n  company.name: {read: true}\n",
}


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The sample with a table whose every title is hostile, and two people of few rights."""
    with sample_site(database, tmp_path_factory.mktemp("web"), MORE) as found:
        with found.records() as records:
            for login, role in (("kim", "keeper"), ("out", "outsider")):
                found.users[login] = create_user(records.session, login, LABEL if login == "kim" else login, [role], HASH)
        yield found


def keep(site: Site, **values: Any) -> int:
    with site.records() as records:
        records.session.files = FileStore(site.settings.home / "files")
        [id_] = records.create("vault", [{"name": "kept", **values}])
    return id_


@pytest.fixture(scope="module")
def bearers(site: Site) -> dict[str, dict[str, str]]:
    """The header with a token of each."""
    return {login: {"Authorization": f"Bearer {token_for(site, login)}"} for login in ("ada", "kim", "out")}    # type: ignore[arg-type]


# Files

def fetched(site: Site, bearer: dict[str, str], id_: int, attachment: str) -> dict[str, Any]:
    """A record's file and its attachment by every way that serves files."""
    ada = site.browser("ada").client
    return {"page": ada.get(f"/-/file/vault/{id_}/paper"), "shown": ada.get(f"/-/file/vault/{id_}/paper?shown=1"),
            "attachment": ada.get(attachment), "api": ada.get(f"/api/v1/vault/{id_}/paper", headers=bearer),
            "part": ada.get(f"/api/v1/vault/{id_}/paper", headers={**bearer, "Range": "bytes=0-3"})}


def attach(site: Site, browser: Browser, id_: int, name: str, content: bytes, kind: str) -> str:
    browser.get(f"/vaults/{id_}/history")
    form = browser.form(f"/vaults/{id_}/attachments")
    browser.post(f"/vaults/{id_}/attachments", {**form, "file": (io.BytesIO(content), name, kind)})
    browser.get(f"/vaults/{id_}/history")
    return f"/vaults/{id_}/attachments/" + browser.text.split(f'href="/vaults/{id_}/attachments/')[1].split('"')[0]


@pytest.mark.parametrize("what", ACTIVE)
def test_past_case_35_no_way_of_files_serves_what_a_browser_would_run(site: Site, bearers: dict[str, dict[str, str]], what: str) -> None:
    """Whatever type the sender claims: each way sends bytes to be kept, in a sandbox."""
    browser = site.browser("ada")
    browser.get("/vaults/new")
    form = browser.form("/vaults/new")
    lie = (io.BytesIO(ACTIVE[what]), "page.html", "text/html;image/png")
    browser.post("/vaults/new", {**form, "name": what, "paper": lie})
    id_ = int(browser.location.rpartition("/")[2])
    attachment = attach(site, browser, id_, "page.svg", ACTIVE[what], "image/svg+xml")
    for way, answer in fetched(site, bearers["ada"], id_, attachment).items():
        assert answer.status_code in (200, 206), way
        assert answer.headers["Content-Disposition"].startswith("attachment;"), way
        assert answer.headers["Content-Type"] == "application/octet-stream", way
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'", way
        assert answer.headers["X-Content-Type-Options"] == "nosniff", way


def test_past_case_17_a_file_is_as_closed_as_its_field_by_every_way(site: Site, bearers: dict[str, dict[str, str]]) -> None:
    """Kim reads the record but not its file; Nil reads nothing; a stranger signs in first."""
    id_ = keep(site, paper=Upload("a.png", png(1, 1)))
    kim = site.browser("kim")
    kim.get(f"/vaults/{id_}")
    assert "a.png" not in kim.text
    token = bearers["kim"]
    for path in (f"/-/file/vault/{id_}/paper", f"/-/file/vault/{id_}/paper?shown=1"):
        kim.get(path, 404)
        site.browser("nil").get(path, 404)
        site.browser().get(path, 303)
        assert site.browser("ada").client.get(path).data == png(1, 1)
    for path in (f"/api/v1/vault/{id_}/paper", f"/api/v1/vault/{id_}/nothing"):
        assert kim.client.get(path, headers=token).status_code == 404
    assert "paper" not in kim.client.get(f"/api/v1/vault/{id_}", headers=token).json  # type: ignore[operator]
    attachment = attach(site, site.browser("ada"), id_, "secret.txt", b"x", "text/plain")
    site.browser("nil").get(attachment, 404)
    site.browser().get(attachment, 303)


@pytest.mark.parametrize(("name", "shown"), [
    ("\u200b.htaccess", "htaccess"), ("a\u202egnp.exe", "agnp.exe"), ("..\\..\\x.html", "x.html"), ("../../y", "y"),
    ("x\r\nSet-Cookie: a=b", "xSet-Cookie: a=b")])
def test_past_case_34_a_name_is_a_label_by_every_way_in(site: Site, bearers: dict[str, dict[str, str]], name: str,
                                                        shown: str) -> None:
    ada = site.browser("ada")
    sent = ada.client.post(f"/api/v1/files?name={quote(name)}", data=b"x", content_type="application/octet-stream",
                           headers=bearers["ada"])
    assert sent.status_code == 201 and sent.json["name"] == shown, sent.text  # type: ignore[index]
    if "\n" in name:                        # no form sends it so
        return
    ada.get("/vaults/new")
    ada.post("/vaults/new", {**ada.form("/vaults/new"), "name": "labelled", "paper": (io.BytesIO(b"x"), name)})
    with site.records() as records:
        [row] = records.read("vault", [int(ada.location.rpartition("/")[2])], ["paper"])
    assert row["paper"].name == shown


def test_past_case_30_nothing_that_is_sent_names_what_is_stored(site: Site, bearers: dict[str, dict[str, str]]) -> None:
    """By no path, body, form or file can anybody say under which name bytes are kept, or learn it."""
    secret = b"only in this record"
    theirs, mine, name = keep(site, paper=Upload("a.txt", secret)), keep(site), digest(secret)
    ada, bearer = site.browser("ada"), bearers["ada"]
    for path in ("paper.hash", "paper.id", "paper.path", "paper.name"):
        for query in (f"fields={path}", f"order={path}", f"group={path}", f"where={path} is not None", f"format=csv&fields={path}"):
            assert ada.client.get(f"/api/v1/vault?{query}", headers=bearer).status_code == 400, query
    version = ada.client.get(f"/api/v1/vault/{mine}", headers=bearer).json["_version"]  # type: ignore[index]
    held = ada.client.get(f"/api/v1/vault/{theirs}", headers=bearer).json["paper"]  # type: ignore[index]
    before = digests(site.owner, site.settings.home / "files")
    for value in (name, {"hash": name}, {"id": held["id"]}, held["id"], held, {"name": "a", "content": "eA==", "hash": name},
                  {"name": "../../x", "path": "/etc/passwd"}):
        answer = ada.client.patch(f"/api/v1/vault/{mine}", json={"_version": version, "paper": value}, headers=bearer)
        assert answer.status_code == 422, value
    for key, value in (("paper~", str(held["id"])), ("paper~", name), ("paper", name), ("paper.hash", name), ("paper.id", str(held["id"]))):
        ada.get(f"/vaults/{mine}?edit=1")
        ada.post(f"/vaults/{mine}", {**ada.form(f"/vaults/{mine}"), "paper~": "", key: value}, 422)
    for value in (name, "rubbish", "9" * 30, "１", str(held["id"] + 1_000_000)):          # what was kept is not lost by it
        ada.get(f"/vaults/{theirs}?edit=1")
        ada.post(f"/vaults/{theirs}", {**ada.form(f"/vaults/{theirs}"), "paper~": value}, 422)
    assert digests(site.owner, site.settings.home / "files") == before


# Scripts in values and in titles

class Dangers(HTMLParser):
    """Collects what would run, lead away or load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self.tags += 1
        bad = tag in ("iframe", "object", "embed", "base", "style", "math", "foreignobject", "animate", "set", "mglyph")
        bad |= tag == "script" and not re.fullmatch(r"/static/[0-9a-f]{12}/[\w./-]+", at.get("src", ""))
        bad |= tag == "meta" and "http-equiv" in at
        bad |= any(name.startswith("on") or name in ("style", "srcdoc", "autofocus" if tag == "b" else "srcdoc") for name in at)
        for name in ("href", "src", "action", "formaction", "xlink:href", "data", "poster", "hx-get", "hx-post"):
            value = re.sub(r"[\x00-\x20]", "", at.get(name, "")).lower()
            bad |= value.startswith(("javascript:", "vbscript:", "data:text", "data:image/svg"))
            bad |= tag != "a" and bool(re.match(r"(\w+:)?//", value))
        if bad:
            self.found.append(f"<{tag} {at}>")


def dangers(html: str) -> list[str]:
    parser = Dangers()
    parser.feed(html)
    assert parser.tags > 0
    return parser.found


@pytest.mark.parametrize("html", [
    "<p><script>x</script>", "<img src=x onerror=a>", "<a href=' java\tscript:x'>", "<base href=//e>", "<p style=x>",
    "<img src=//evil.example/x>", "<form action=https://evil.example>", "<svg><animate>", "<script src=//e/x.js></script>"])
def test_a_danger_is_seen(html: str) -> None:
    assert dangers(html) and not dangers('<a href="https://example.com">x</a><img src="/logo"><script src="/static/0123456789ab/a.js">')


@pytest.fixture(scope="module")
def poisoned(site: Site) -> int:
    """Records with each hostile value in every field that takes it; the id of the first."""
    first = 0
    with site.records() as records:
        for value in VALUES:
            [id_] = records.create("vault", [{
                "name": value, "note": value, "story": value, "kind": "one", "tags": [re.sub("[,;\n]", "", value)[:40].strip()],
                "data": json.dumps({"a": value, value: 1}), "above": first or None, "parts": [{"label": value}]}])
            first = first or id_
    with site.owner.begin() as connection:
        from core.bm.versions import live
        system = live.system(connection, live.current(connection)[0], site.plugins)
        queue_all(connection, system)
        while index_queue(connection, system):
            pass
    return first


def test_past_cases_36_and_37_no_page_runs_what_values_and_titles_hold(site: Site, poisoned: int) -> None:
    ada, evil = site.browser("ada"), quote(LABEL)
    attach(site, ada, poisoned, "<img src=x onerror=alert(1)>'.html", b"x", "text/html")
    ada.get(f"/vaults/{poisoned}/history")
    ada.post(f"/vaults/{poisoned}/remark", {**ada.form(f"/vaults/{poisoned}/remark"), "remark": LABEL})
    ada.get("/my-account/tokens")
    columns = "name,note,story,kind,tags,data,above,above.name"
    pages = {
        "/": 200, "/vaults": 200, f"/vaults?columns={columns}": 200, "/vaults?group=kind": 200, "/vaults?group=name": 200,
        "/vaults?mode=kanban": 200, f"/vaults?q={evil}": 200, f"/vaults?where={evil}": 400, f"/vaults?sort={evil}": 400,
        "/vaults?f=evil": 200, "/vaults?trash=1": 200, "/vaults/new": 200, f"/vaults/new?name={evil}&story={evil}&note={evil}": 200,
        f"/search?q={quote('<script>alert(1)')}": 200, f"/search?q={evil}": 200, "/search?q=alert": 200,
        f"/-/lookup/vault/above?q={quote('<s')}": 200, "/-/lookup/vault/above?q=": 200, f"/{evil}": 404, f"/vaults/{evil}": 404,
        "/vaults/import": 200, "/-/views/vaults/new": 200, "/admin": 200, "/admin/plan": 200, "/my-account": 200, "/my-account/tokens": 200,
        f"/admin/access?table=vault&user={site.users['kim']}&action=read&field=name": 200, f"/admin/access?table={evil}": 422,
        f"/users/{site.users['kim']}": 200, "/users": 200}
    with site.records() as records:
        for id_ in [row["id"] for row in records.page("vault", ["id"], limit=200).records]:
            pages |= {f"/vaults/{id_}": 200, f"/vaults/{id_}?edit=1": 200, f"/vaults/{id_}/history": 200}
    pages[f"/vaults/{poisoned}/version?at=1"] = 200
    for path, status in pages.items():
        answer = ada.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        html = answer.get_data(as_text=True)
        if answer.mimetype == "text/html":
            assert dangers(html) == [], path
            assert "alert(1)" in html or status == 404 or not path.startswith("/vaults"), path
        else:
            assert answer.mimetype == "application/json" and path.startswith("/-/lookup/")
        assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"] and "unsafe" not in policy("x")


def test_past_cases_36_and_37_no_answer_to_a_form_runs_what_was_typed(site: Site, poisoned: int) -> None:
    ada = site.browser("ada")
    for value in VALUES:
        ada.get("/vaults/new")
        form = ada.form("/vaults/new")
        ada.post("/vaults/new", {**form, "name": "refused", "note": value, "story": value, "tags": value, "data": "{" + value,
                                 "kind": "one"}, 422)
        assert dangers(ada.text) == [], value
        ada.post("/vaults/new", {**form, value: "x", "name": value}, 422)
        assert dangers(ada.text) == [], value
    content = f"name,{'x'}\n" + "\n".join('"' + value.replace('"', '""') + '",1' for value in VALUES if "\u2028" not in value)
    ada.get("/vaults/import")
    ada.post("/vaults/import", {**ada.form("/vaults/import"), "file": (io.BytesIO(content.encode()), LABEL[:60] + ".csv")})
    ada.get(ada.location)
    assert "alert(1)" in ada.words and dangers(ada.text) == []


def test_past_case_36_rich_text_is_cleaned_when_it_is_written_and_when_it_is_shown(site: Site, bearers: dict[str, dict[str, str]]) -> None:
    """By the API too; and what came into the table by hand is cleaned on its way out."""
    ada = site.browser("ada")
    evil = '<p onclick="x">a<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:x">b</a></p>'
    made = ada.client.post("/api/v1/vault", json={"name": "rich", "story": evil}, headers=bearers["ada"])
    assert made.status_code == 201 and not re.search("script|onclick|onerror|<img", made.json["story"]), made.text
    with site.owner.begin() as connection:
        names = connection.exec_driver_sql("select table_name, column_name from sys.physical where column_name like 'story%%'").all()
        for table, column in names:
            kind = connection.exec_driver_sql("select data_type from information_schema.columns where table_schema = 'ed' and"
                                              " column_name = %(c)s", {"c": column}).scalar()
            assert kind == "text"
            connection.exec_driver_sql(f'update ed."{table}" set "{column}" = %(v)s where id = %(i)s',
                                       {"v": evil, "i": made.json["id"]})
    assert names
    for path in (f"/vaults/{made.json['id']}", f"/vaults/{made.json['id']}?edit=1", "/vaults", f"/vaults/{made.json['id']}/history"):
        ada.get(path)
        assert dangers(ada.text) == [], path


# Fields that come and go

def test_past_case_20_a_field_that_is_gone_and_comes_back_is_shown_to_no_outsider(site: Site, bearers: dict[str, dict[str, str]]) -> None:
    """A column that was parked has its values again; a portal role names what it shows, so nothing of it is seen."""
    folder = site.settings.metadata / "tables"
    field = "change: table company\nfields: {salary: {type: text, search: contains}}\n"
    with site.records() as records:
        [company] = records.create("company", [{"name": "Salaries", "city": "Bonn"}])

    def promote(text: str | None) -> None:
        path = folder / "company_salary.yaml"
        path.write_text(text) if text else path.unlink()
        service.promote_folder(site.settings, site.owner, message="again", plugins=site.plugins)
    bearer = bearers["out"]

    def seen() -> set[str]:
        client = site.browser("out").client
        answer = client.get(f"/api/v1/company/{company}", headers=bearer)
        asked = [client.get(f"/api/v1/company?{query}", headers=bearer).status_code for query in (
            "fields=salary", "where=salary%20is%20not%20None", "order=salary", "group=salary", "q=87654")]
        assert asked[:4] == [400] * 4 and client.get("/api/v1/company?q=87654", headers=bearer).json["records"] == []  # type: ignore[index]
        assert b"87654" not in client.get(f"/companies/{company}").data + client.get("/companies").data
        return set(answer.json or {})
    before = seen()
    assert "name" in before and not before & {"city", "salary"}
    promote(field)
    site.update("company", company, salary="87654")
    assert seen() == before
    promote(None)
    assert seen() == before
    promote(field)
    assert site.read("company", company)["salary"] == "87654", "the parked column is the same one"
    assert seen() == before
    promote(field.replace("salary: {", "wages: {was: [salary], "))
    assert site.read("company", company)["wages"] == "87654" and seen() == before
    promote(field.replace("salary: {", "name2: {").replace("text", "integer").replace(", search: contains", ""))
    assert seen() == before


# Probes

def test_past_case_41_a_small_probe_is_little_work(site: Site) -> None:
    """Work is counted in calls: a probe of a kilobyte costs little, and twice as much never more than twice."""
    client = site.browser().client

    def work(method: str, path: str, **options: Any) -> int:
        client.open(path, method=method, **options).get_data()          # what is built once is there by now
        return calls(lambda: client.open(path, method=method, **options).get_data())
    live, ready = work("GET", "/-/live"), work("GET", "/-/ready")
    assert live < 2_000 and ready < 6_000, (live, ready)
    form = "multipart/form-data; boundary=b"

    def parts(number: int) -> bytes:
        return b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n' % n for n in range(number)) + b"--b--\r\n"
    small, large = (work("POST", "/login", data=parts(n), content_type=form) for n in (15, 120))
    assert small < 20_000 and large < 8 * small, (small, large)
    for evil in (b"--b\r\n" * 200, b"--b\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n" + b"\r\n" * 500,
                 b"--b\r\n" + b"X: y\r\n" * 150, b"\r\n" * 500, b"--b--" * 200):
        assert work("POST", "/login", data=evil[:1000], content_type=form) < 20_000
    for query in (b"&" * 1000, b"a=1&" * 250, b"%" * 1000, b"a[]=" * 250):
        assert work("POST", "/login", data=query, content_type="application/x-www-form-urlencoded") < 30_000
    carriage = [work("POST", "/login", content_type=form, data=b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
                     + b"\r" * size + b"\r\n--b--\r\n") for size in (4_000, 16_000)]
    assert carriage[1] < 5 * carriage[0], carriage
