"""The offline system follows its files: saved and reloaded is seen; what is broken is told, and harms nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.bm import backup
from core.bm.inputs.questions import Option, Question
from core.cli.offline import OfflineSystem, harmless
from core.errors import words
from core.settings import Settings
from tests.core.cli.followed import Followed, banner, drop, following
from tests.core.cli.test_serve import wait_for

COMPANY = "tables/company.yaml"


@pytest.fixture(scope="module")
def followed(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    with following(database, tmp_path_factory.mktemp("followed")) as found:
        found.be()
        yield found


@pytest.fixture(autouse=True)
def as_shipped(followed: Followed) -> Iterator[None]:
    """Each test begins with the starter site, applied."""
    yield
    for path in followed.folder.rglob("*.yaml"):
        if path.name != "system.yaml":
            path.unlink()
    followed.folder.chmod(0o755)
    assert "as the files say" in banner(followed.get())


def test_what_is_saved_is_seen_by_the_next_reload(followed: Followed) -> None:
    followed.get()
    for number in range(3):
        followed.write(COMPANY, f"change: table company\nfields: {{motto: {{type: text, title: Motto {number}}}}}\n")
        followed.write("forms/company.xml",
                       '<form change="company"><inside page="1" at="end"><field name="motto"/></inside></form>')
        (followed.folder / "forms" / "company.xml").unlink()
        page = followed.get()
        assert "as the files say" in banner(page) and "problem" not in banner(page)
        assert f"Motto {number}" in followed.client.get("/offline/api/v1/openapi.json").text
    version = followed.system.standing.version
    followed.get("/offline/companies")
    assert followed.system.standing.version == version, "without a change nothing is promoted"


def test_the_working_files_get_nothing_of_it(followed: Followed) -> None:
    before = sorted(path.name for path in followed.folder.rglob("*"))
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text}}\n")
    followed.get()
    followed.remove(COMPANY)
    followed.get()
    assert sorted({path.name for path in followed.folder.rglob("*")} - {"tables"}) == sorted({*before} - {"tables"})
    assert not (followed.folder / ".base").exists() and not (followed.folder / "customisation.lock").exists()


@pytest.mark.parametrize(("file", "place"), [
    ("change: table company\nfields: {motto: {type: txet}}\n", 'tables/company.yaml:2:18: there is no type "txet"'),
    ("change: table company\nfields: [\n", "tables/company.yaml:3:1: this is not YAML"),
])
def test_fault_23_a_broken_file_is_told_with_its_place_and_the_last_good_version_goes_on(
        followed: Followed, file: str, place: str) -> None:
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text}}\n")
    followed.get()
    version = followed.system.standing.version
    followed.write(COMPANY, file)
    for path in ("/offline/companies", "/offline/admin", "/offline/login"):
        page = followed.get(path)
        assert f"{followed.folder}/{place}" in unescape(banner(page))
        assert f"version {version}, older than the files" in banner(page) and 'role="alert"' in page
    assert "1 problem in the files" in banner(page)
    assert "Motto" in followed.client.get("/offline/api/v1/openapi.json").text
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text}}\n")
    assert "problem" not in banner(followed.get())


def test_fields_that_hold_values_may_go_and_come_back(followed: Followed) -> None:
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text, default: Onwards}}\n")
    followed.get()
    csrf = re.search(r'data-csrf="([^"]+)', followed.get("/offline/companies"))
    assert csrf
    made = followed.client.post("/offline/api/v1/company", json={"name": "Kept Ltd", "motto": "Onwards"},
                                headers={"Origin": "http://localhost", "X-CSRF-Token": csrf[1]})
    assert made.status_code == 201, made.text
    record = made.headers["Location"]
    assert record.startswith("/offline/api/v1/company/")
    followed.remove(COMPANY)
    assert "as the files say" in banner(followed.get())
    assert "motto" not in followed.client.get(record).json
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text, default: Onwards}}\n")
    followed.get()
    assert followed.client.get(record).json["motto"] == "Onwards"


def test_what_live_would_ask_is_answered_and_told(followed: Followed) -> None:
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: text}}\n")
    followed.get()
    followed.write(COMPANY, "change: table company\nfields: {slogan: {type: text}}\n")
    said = banner(followed.get())
    assert "as the files say" in said
    assert "Live will ask this" in said and "rename company.motto: new" in said
    followed.write(COMPANY, "change: table company\nfields: {slogan: {type: integer}}\n")
    followed.get()
    followed.write(COMPANY, "change: table company\nfields: {slogan: {type: integer}, age: {type: float}}\n")
    assert "Live will ask" not in banner(followed.get()), "answers are told for as long as they are news"


def test_python_of_an_addon_is_taken_up_too(followed: Followed) -> None:
    addon = followed.live.addons[0] / "shouting"
    (addon / "addon.yaml").write_text("addon: shouting\ntitle: Shouting\nversion: 1.0.0\nneeds: [base]\n")
    site = (followed.folder / "system.yaml").read_text()
    try:
        followed.write("system.yaml", site.replace("addons: [", "addons: [shouting, "))
        assert "as the files say" in banner(followed.get())
        (addon / "plugin.py").write_text("from core.hookspecs import hook\n\nthis is no python\n")
        said = unescape(banner(followed.get()))
        assert "plugin.py:3:" in said and "older than the files" in said
        followed.get("/offline/companies")
        (addon / "plugin.py").write_text("LOUD = True\n")
        followed.get()
        wait_for(lambda: "as the files say" in banner(followed.get("/offline/companies")))
    finally:
        followed.write("system.yaml", site)
        for path in addon.iterdir():
            path.unlink()


def test_a_folder_that_cannot_be_read_is_named_and_used_again_when_it_can(followed: Followed) -> None:
    away = followed.folder.with_name("away")
    followed.folder.rename(away)
    try:
        assert f"{followed.folder}: cannot be read: No such file or directory" in banner(followed.get())
    finally:
        away.rename(followed.folder)
    wait_for(lambda: "as the files say" in banner(followed.get()))


def test_every_address_of_every_page_stays_inside(followed: Followed) -> None:
    first = followed.get("/offline/companies")
    record = re.search(r'href="(/offline/companies/\d+)"', first)
    assert record
    paths = ["/offline/", "/offline/companies", record[1], record[1] + "/edit", record[1] + "/history",
             "/offline/companies/new", "/offline/companies?mode=kanban", "/offline/search?q=a", "/offline/my-account",
             "/offline/my-account/tokens", "/offline/admin", "/offline/admin/plan", "/offline/admin/access",
             "/offline/admin/settings", "/offline/opportunities", "/offline/opportunities/new", "/offline/tickets",
             "/offline/tickets/new", "/offline/users", "/offline/companies/import", "/offline/no_such_page"]
    outside = set()
    for path in paths:
        answer = followed.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code}"
        page = re.sub(r"<aside class=\"t-offline.*?</aside>", "", answer.text, flags=re.DOTALL)
        assert page != answer.text, path
        outside |= {(name, value) for name, value in re.findall(r'\s([a-z-]+)="(/(?!offline/)[^"/]*)', page)
                    if (name, value[:1]) != ("value", "/")}
    assert outside == set()
    lookup = followed.client.get("/offline/-/lookup/contact/company?q=").text
    assert '"home": "/' not in lookup.replace('"home": "/offline/', "")


def test_every_page_has_the_banner_and_the_sign(followed: Followed) -> None:
    for path in ("/offline/", "/offline/companies", "/offline/login"):
        page = followed.get(path)
        assert "Offline system: nothing here is live" in banner(page)
        assert f"{followed.folder}" in banner(page) and "<title>\u26a0 " in page
        assert 'href="/admin/plan"' in page and 'href="/admin/offline"' in page
    assert "Offline system: nothing here is live" in banner(followed.get("/offline/nowhere", 404))
    followed.client.post("/offline/my-account/settings", data={
        "_csrf": re.search(r'data-csrf="([^"]+)', followed.get())[1],  # type: ignore[index]
        "language": "zh_CN"}, headers={"Origin": "http://localhost"})
    assert "离线系统：这里的一切都不是正式数据" in banner(followed.get())
    followed.client.post("/offline/my-account/settings", data={
        "_csrf": re.search(r'data-csrf="([^"]+)', followed.get())[1],  # type: ignore[index]
        "language": "en"}, headers={"Origin": "http://localhost"})


def test_a_press_makes_one_somebody_else_and_only_demo_accounts_are_offered(followed: Followed) -> None:
    assert followed.be("jonas", "/companies").headers["Location"] == "/offline/companies"
    page = followed.get("/offline/login")
    assert 'value="jonas" aria-current="true"' in page and "Salesperson" in page
    followed.get("/offline/admin", 403)
    refused = followed.client.post("/offline/-/be", data={"login": "admin"}, headers={"Origin": "http://localhost"})
    assert refused.status_code == 403, "without the page's token nobody becomes anybody"
    with followed.connection() as connection:
        connection.execute(text("update sys.account set demo = false where login = 'marta'"))
    assert 'value="marta"' not in followed.get("/offline/login")
    assert followed.be("marta").status_code == 400
    followed.get("/offline/admin", 403)
    assert followed.be("admin").status_code == 303
    followed.get("/offline/admin")


def test_records_are_found_by_words_and_jobs_are_done(followed: Followed) -> None:
    wait_for(lambda: "t-hits" in followed.client.get("/offline/search?q=Keller").text
             and followed.scalar("select count(*) from sys.search_queue") == 0)


def test_starting_over_makes_it_anew_but_not_from_broken_files(followed: Followed) -> None:
    followed.write(COMPANY, "change: table company\nfields: {motto: {type: txet}}\n")
    followed.get()
    before = followed.scalar("select count(*) from bm.promotion")
    assert followed.client.post("/control/fresh").status_code == 202
    assert "txet" in banner(followed.get())
    assert followed.scalar("select count(*) from bm.promotion") == before
    followed.remove(COMPANY)
    followed.get()
    followed.client.post("/control/fresh")
    wait_for(lambda: followed.client.get("/offline/companies").status_code == 303)
    assert followed.scalar("select count(*) from bm.promotion") == 1
    assert followed.be().status_code == 303
    followed.get("/offline/companies")


def test_a_lost_database_is_made_again_by_starting_over(followed: Followed) -> None:
    drop(followed.live)
    assert followed.client.get("/offline/companies").status_code == 503
    followed.client.post("/control/fresh")
    wait_for(lambda: followed.system.standing.phase == "ready" and followed.system.standing.version == 1)
    assert followed.be().status_code == 303
    followed.get("/offline/companies")


def test_two_servers_do_not_share_an_offline_database(followed: Followed, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("second")
    shutil.copy(followed.live.home / "secrets.yaml", home)
    second = OfflineSystem(followed.live.model_copy(update={"home": home}))
    import threading
    thread = threading.Thread(target=second.run, daemon=True)
    thread.start()
    wait_for(lambda: second.standing.phase == "failed")
    assert "used by another server already" in str(second.standing.problems[0])
    second.stop()
    thread.join(30)
    followed.get("/offline/companies")


def test_live_and_its_backup_know_nothing_of_it(followed: Followed, engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from bm.version")) == 0
        assert connection.scalar(text("select count(*) from sys.account")) == 0
    archive = tmp_path / "live.backup"
    backup.backup(engine, followed.live.home, archive)
    held = archive.read_bytes()
    assert b"manifest.json" in held and b"jonas" not in held and b"offline" not in held


@pytest.mark.parametrize(("options", "answer"), [
    (("phone", "new"), "new"), (("leave",), "leave"), (("keep", "won"), "keep"), (("empty",), "empty")])
def test_what_a_plan_asks_gets_the_answer_that_loses_nothing(options: tuple[str, ...], answer: str) -> None:
    asked = Question("k", words("?"), tuple(Option(one, words(one)) for one in options), free=True)
    assert harmless(asked) == answer
