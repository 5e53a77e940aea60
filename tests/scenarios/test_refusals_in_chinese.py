"""Whoever reads Chinese is refused in Chinese: on pages and by the API, down to what is wrong with each value."""

from __future__ import annotations

import re

import pytest

from tests.scenarios.client import Person
from tests.scenarios.hostile import Crm, beside, on_top
from tests.scenarios.test_bad_bodies import (
    test_rows_36_to_43_a_value_that_cannot_be_is_told_by_field_and_code as told_by_field,
)
from tests.scenarios.test_bad_filters import WRONG

READER = "lixin"                    # a salesperson whose language is Chinese
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def chinese(crm: Crm) -> Person:
    """A client of the API with a token of somebody who reads Chinese."""
    return Person(crm.site.address, crm.site.run("token", READER).strip().split()[-1])


def sentences(problem: dict[str, object]) -> list[str]:
    """All that a problem says to people."""
    errors = problem.get("errors", [])
    assert isinstance(errors, list)
    return [str(problem["title"]), *([str(problem["detail"])] if "detail" in problem else []),
            *(str(error["message"]) for error in errors)]


@pytest.mark.parametrize("where", [where for where, _ in WRONG], ids=[where[:40] for where, _ in WRONG])
def test_a_condition_is_refused_in_chinese(chinese: Person, where: str) -> None:
    problem = chinese.get("/api/v1/company", where=where).json()
    assert all(HAN.search(sentence) for sentence in sentences(problem)), problem


VALUES = [arguments for mark in told_by_field.pytestmark for arguments in mark.args[1]]      # type: ignore[attr-defined]


@pytest.mark.parametrize(("values", "found"), VALUES, ids=lambda value: str(value)[:40])
def test_a_value_is_refused_in_chinese(crm: Crm, chinese: Person, values: dict[str, object],
                                       found: dict[str, str]) -> None:
    answer = chinese.send("POST", "/api/v1/company", {"name": "New", **values})
    assert answer.status == 422, answer.text
    for sentence in sentences(answer.json()):
        assert HAN.search(sentence) and "{" not in sentence, sentence


def test_other_refusals_of_the_api_are_in_chinese(crm: Crm, chinese: Person) -> None:
    number = crm.create("company", name="Elsewhere")
    asks = [chinese.ask("GET", "/api/v1/nothing"), chinese.ask("GET", "/api/v1/company/1e3"), chinese.get("/api/v1/company", x="1"),
            chinese.get("/api/v1/company", order="nothing"), chinese.get("/api/v1/company", order="tags"),
            chinese.get("/api/v1/company", after="x"), chinese.get("/api/v1/company", limit="0"),
            chinese.send("PATCH", f"/api/v1/company/{number}", {"name": "x"}),
            chinese.send("PATCH", f"/api/v1/company/{number}", {"name": "x", "_version": 1}),
            chinese.ask("DELETE", f"/api/v1/company/{number}"), chinese.send("POST", "/api/v1/product", {"name": "x"}),
            chinese.send("POST", "/api/v1/party", {"name": "x"}),
            chinese.ask("POST", "/api/v1/company", b"{", {"Content-Type": "application/json"}),
            chinese.ask("POST", "/api/v1/company", b"{}", {"Content-Type": "text/plain"}),
            # Before it is known who asks, what the client accepts counts.
            chinese.ask("PUT", "/api/v1/company", b"{}", {"Accept-Language": "zh-CN"})]
    for answer in asks:
        assert answer.status >= 400
        assert all(HAN.search(sentence) for sentence in sentences(answer.json())), answer.text


def test_forms_and_lists_are_refused_in_chinese(crm: Crm) -> None:
    browser = crm.browser(READER)
    for field, value in (("name", ""), ("name", "x" * 300), ("revenue", "NaN"), ("parent", "999999999"), ("employees", "-1"),
                         ("industry", "nothing"), ("email", "no"), ("website", "javascript:x")):
        answer = browser.post("/companies/new", *((("name", "x"),) if field != "name" else ()), (field, value))
        assert answer.status == 422 and HAN.search(beside(answer, field)), (field, beside(answer, field))
    assert HAN.search(on_top(browser.post("/companies/new", ("name", "x"), ("nonsense", "1"))))
    page = browser.get("/companies", where="nmae == 1").text
    assert "数据表“company”中没有“nmae”（您是否想写“name”？）" in page


def test_administrators_read_plans_in_chinese(crm: Crm) -> None:
    (crm.site.metadata / "tables").mkdir(exist_ok=True)
    change = crm.site.metadata / "tables" / "company.yaml"
    change.write_text("change: table company\nfields:\n  planet: {type: text}\n")
    try:
        page = crm.browser("admin").ask("GET", "/admin/plan", None, {"Accept-Language": "zh-CN"}).text
    finally:
        change.unlink()
    words = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert re.search("字段.*planet.*为新增", words) and "新增 1 已更改 0 移除 0" in words and "风险 只增不减" in words
