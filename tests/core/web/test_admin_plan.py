"""The plan's page: questions as fields, answers that survive, consent, and everything that can be sent to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from core.bm import actions
from core.bm.engine.run import Action, Run
from core.bm.engine.steps import Step
from core.errors import words, words_to_json
from core.settings import Settings
from tests.core.web.promoting import begun, state_of, work_off, work_process
from tests.core.web.site import Browser, Site, sample_site
from tests.databases import fresh_database

CODE = "change: table company\nfields:\n  code: {type: text, max: 20, required: true, title: Customer code}\n"


@pytest.fixture
def site(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("plans")) as found:
        yield found


def write(site: Site, name: str, text: str) -> None:
    (site.settings.metadata / name).parent.mkdir(exist_ok=True)
    (site.settings.metadata / name).write_text(text)


def csrf(browser: Browser) -> str:
    found = re.search(r'data-csrf="([^"]+)"', browser.text)
    assert found is not None
    return found[1]


def test_a_question_is_a_field_and_its_answer_survives(site: Site) -> None:
    for name in ("First", "Second"):
        site.create("company", name=name, owner=site.users["ada"])
    write(site, "tables/company.yaml", CODE)
    ada = site.browser("ada")
    ada.get("/admin/plan")
    assert "1 question is open" in ada.words and "2 records" in ada.words and "First" in ada.words
    assert "/admin/promote" not in ada.text and "tables/company.yaml:3" in ada.words
    key = "fill company.code"
    ada.get(f"/admin/plan?a.{key}=leave&t.{key}=x", 422)
    assert "Choose an answer or write one, not both." in ada.words and 'value="x"' in ada.text
    ada.get(f"/admin/plan?a.{key}=&t.{key}=K-1")
    assert "Questions and your answers" in ada.words and "K-1" in ada.text
    form = ada.form("/admin/promote")
    assert form[f"a.{key}"] == "K-1"
    with work_process(site):
        ada.post("/admin/promote", {**form, "message": "Codes", "consent": form["plan"][:6]})
        number = int(ada.location.rpartition("/")[2])
        work_off(site)
    assert state_of(site, number) == "done"
    with site.owner.connect() as connection:
        assert connection.scalar(text("select plan -> 'answers' from bm.promotion where id = :id"), {"id": number}) == {
            key: "K-1"}
    ada.get(f"/admin/promotions/{number}")
    assert "What was answered fill company.code K-1" in ada.words


def test_an_answer_that_is_none_is_told_beside_its_field(site: Site) -> None:
    site.create("company", name="First", owner=site.users["ada"])
    write(site, "tables/company.yaml", CODE)
    ada = site.browser("ada")
    key = "fill company.code"
    ada.get(f"/admin/plan?t.{key}=%00", 422)
    assert "This is no answer." in ada.words
    ada.get(f"/admin/plan?t.{key}==nothing_of_that_name", 422)
    assert f'the answer to "{key}" is wrong' in ada.words
    assert 'value="=nothing_of_that_name"' in ada.text and "/admin/promote" not in ada.text
    ada.get("/admin/plan?a.fill nothing.at_all=x")
    assert "left out: fill nothing.at_all" in ada.words and "1 question is open" in ada.words
    ada.get(f"/admin/plan?a.{key}=x&a.{key}=y", 400)
    ada.get(f"/admin/plan?t.{key}=" + "x" * 2001, 400)


def test_what_is_sent_to_promote_is_looked_at(site: Site) -> None:
    ada = site.browser("ada")
    ada.get("/admin")
    token = csrf(ada)
    ada.post("/admin/promote", {"_csrf": token}, 400)
    ada.post("/admin/promote", {"_csrf": token, "plan": "x"}, 409)
    assert "No changes." in ada.words
    write(site, "tables/company.yaml", CODE)
    for values in ({"plan": ""}, {"plan": "\x00"}, {"plan": "é" * 64}, {"plan": "0" * 64, "consent": "é"},
                   {"plan": "0" * 64, "a.fill company.code": "x", "message": "a\x00b\n"},
                   {"plan": "0" * 64, "a.": "x", "t.": "=("}, {"plan": "0" * 64, "t.fill company.code": "=1/0"}):
        ada.post("/admin/promote", {"_csrf": token, **values}, 409 if values["plan"] else 400)
    ada.get("/admin/rollback/99999999999999999")
    assert "was never live" in ada.words
    ada.post("/admin/rollback/99999999999999999", {"_csrf": token, "plan": "x"}, 409)
    for path in ("/admin/promotions/999", "/admin/promotions/999/progress"):
        ada.get(path, 404)
    for wish in ("pause", "continue", "cancel"):
        ada.post(f"/admin/promotions/999/{wish}", {"_csrf": token}, 404)
        ada.post(f"/admin/promotions/1/{wish}", {"_csrf": token}, 409)
        ada.post(f"/admin/promotions/1/{wish}", {"_csrf": token, "more": "x"}, 400)
    for path in ("/admin/promotions/x", "/admin/promotions/0", "/admin/promotions/1/other"):
        ada.get(path, 404)
    for before in ("x", "-1", "9" * 30, "²", "1&before=2"):
        ada.get(f"/admin/promotions?before={before}", 400 if "&" in before else 200)


def test_the_second_of_two_administrators_is_told_who_is_first(site: Site) -> None:
    write(site, "tables/company.yaml", CODE.replace("required: true, ", ""))
    ada, max_ = site.browser("ada"), site.browser("ada")
    for browser in (ada, max_):
        browser.get("/admin/plan")
    with work_process(site):
        form = ada.form("/admin/promote")
        number = begun(ada, "/admin/promote", form)
        max_.post("/admin/promote", max_.form("/admin/promote"), 409)
        assert f"number {number} by ada" in max_.words and f"/admin/promotions/{number}" in max_.text
        ada.post("/admin/promote", form, 409)                       # sent twice
        ada.get("/admin")
        assert f"Promotion {number} by ada is under way" in ada.words
        ada.post(f"/admin/promotions/{number}/pause", {"_csrf": csrf(ada)})
        ada.get(f"/admin/promotions/{number}")
        assert "Continue" in ada.words and "It will pause" in ada.words
        ada.post(f"/admin/promotions/{number}/cancel", {"_csrf": csrf(ada)})
        work_off(site)
        ada.get(f"/admin/promotions/{number}")
        assert "Cancelled" in ada.words and "Live is as it was." in ada.words
    assert state_of(site, number) == "cancelled"
    ada.get("/admin/promotions")
    assert "Cancelled" in ada.words and "The first version" in ada.words


def test_who_may_only_look_sees_the_plan_without_a_button(site: Site) -> None:
    write(site, "roles/manager.yaml", "change: role manager\nmay: [plan]\n")
    ada, max_ = site.browser("ada"), site.browser("max")
    with work_process(site):
        ada.get("/admin/plan")
        assert "What you must know first" in ada.words               # a right is widened
        form = ada.form("/admin/promote")
        ada.post("/admin/promote", form, 422)
        number = begun(ada, "/admin/promote", {**form, "consent": form["plan"][:6]})
        work_off(site)
    write(site, "tables/company.yaml", CODE.replace("required: true, ", ""))
    max_.get("/admin/plan")
    assert "field code is new" in max_.words and "/admin/promote" not in max_.text
    max_.get(f"/admin/promotions/{number}")
    assert "/admin/rollback/1" not in max_.text
    max_.post("/admin/promote", {"_csrf": csrf(max_), "plan": "x"}, 403)
    assert "None of your roles gives the right to promote (may: promote)." in max_.words


def test_what_broke_off_is_told_with_its_place_and_continues_when_somebody_says_so(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.create("company", name="First", owner=site.users["ada"])
    write(site, "tables/company.yaml", CODE)
    ada, original = site.browser("ada"), actions.ACTIONS["settle"]

    def fail(run: Run, step: Step) -> None:
        raise RuntimeError("out <of> luck")
    with work_process(site):
        ada.get("/admin/plan?t.fill company.code=K-1")
        form = ada.form("/admin/promote")
        number = begun(ada, "/admin/promote", {**form, "consent": form["plan"][:6]})
        with monkeypatch.context() as patched, pytest.raises(RuntimeError):
            patched.setitem(actions.ACTIONS, "settle", Action(fail, original.undo))  # type: ignore[arg-type]
            work_off(site)
        ada.get(f"/admin/promotions/{number}")
        assert re.search(r"It broke off at step \d+: RuntimeError: out <of> luck core/bm/engine/run.py:\d+", ada.words)
        assert "It was tried 1 time. The next try" in ada.words and "Live, being finished" in ada.words
        ada.get("/admin/promotions")
        assert "RuntimeError: out <of> luck" in ada.words
        work_off(site)
        assert state_of(site, number) == "flipped"              # not yet
        ada.get(f"/admin/promotions/{number}")
        ada.post(f"/admin/promotions/{number}/continue", {"_csrf": csrf(ada)})
        work_off(site)
        ada.get(f"/admin/promotions/{number}")
    assert state_of(site, number) == "done" and "RuntimeError" in ada.words and "next try" not in ada.words


def test_the_history_has_pages(site: Site) -> None:
    with site.owner.begin() as connection:
        for number in range(40):
            connection.exec_driver_sql(
                "insert into bm.promotion (base, target, plan, plan_hash, state, message) select base, target,"
                " plan, plan_hash, 'running', %(message)s from bm.promotion where id = 1",
                {"message": f"Try {number:02}"})
        connection.exec_driver_sql("update bm.promotion set state = 'failed', ended_on = now() where id > 1")
    ada = site.browser("ada")
    ada.get("/admin/promotions")
    assert "Try 39" in ada.words and "Try 05" not in ada.words and "Older" in ada.words
    statements = len(ada.statements)
    older = re.search(r'/admin/promotions\?before=(\d+)', ada.text)
    assert older is not None
    ada.get(f"/admin/promotions?before={older[1]}")
    assert "Try 05" in ada.words and "The first version" in ada.words and len(ada.statements) <= statements
    assert statements <= 6
    ada.get("/admin/promotions?before=1")
    assert "There is nothing before this." in ada.words


def test_a_promotion_that_a_busy_table_stopped_says_who_holds_it_in_the_readers_language_and_how_to_go_on(
        site: Site) -> None:
    write(site, "tables/company.yaml", "change: table company\nfields:\n  busy: {type: text}\n")
    ada = site.browser("ada")
    ada.get("/admin/plan")
    with work_process(site):
        number = begun(ada, "/admin/promote", ada.form("/admin/promote"))
        why = {"why": "busy", "since": "2026-01-01T00:00:00+00:00", "blockers": [words_to_json(words(
            "{name} (process {process}), for {seconds} s: {state}, {word}", name="monthly report", process=7, seconds=5,
            state=words("waits inside a transaction"), word="select"))]}
        with site.owner.begin() as connection:
            connection.execute(text("update bm.promotion set paused = cast(:why as jsonb) where id = :id"),
                               {"why": json.dumps(why), "id": number})
        assert "Paused" in ada.get("/admin/promotions") and "Paused" in ada.get(f"/admin/promotions/{number}")
        assert "Paused" in ada.words and "monthly report (process 7), for 5 s: waits inside a transaction" in ada.words
        assert f"/admin/promotions/{number}/continue" in ada.text and f"/{number}/pause" not in ada.text
        with site.owner.begin() as connection:
            connection.execute(text("update bm.promotion set paused = null where id = :id"), {"id": number})
        work_off(site)
    assert state_of(site, number) == "done"
