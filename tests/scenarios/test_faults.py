"""Fault 9: two people change the same record at once, by a form and by the API, in threads and in turn."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scenarios.client import Answer
from tests.scenarios.hostile import Browser, Crm


def change(crm: Crm, number: int, version: int, **values: object) -> Answer:
    return crm.api("admin").send("PATCH", f"/api/v1/company/{number}", {"_version": version, **values})


def save(browser: Browser, number: int, version: int, base: dict[str, object], **values: str) -> Answer:
    """Send a form as the page does: what was in its fields, and what they hold now."""
    return browser.post(f"/companies/{number}", ("_version", str(version)), ("_base", json.dumps(base)), *values.items())


def test_fault_9_a_form_that_was_open_meanwhile_is_told_what_the_api_changed(crm: Crm) -> None:
    number = crm.create("company", name="Two editors", city="Before")
    assert change(crm, number, 1, city="By the API").status == 200
    with crm.refused():
        answer = save(crm.browser("admin"), number, 1, {"name": "Two editors", "city": "Before"}, name="Two editors",
                      city="By the form")
    assert answer.status == 409
    for value in ("By the API", "By the form"):
        assert value in answer.text
    assert crm.api("admin").get(f"/api/v1/company/{number}").json()["city"] == "By the API"


def test_fault_9_the_api_is_told_what_a_form_changed(crm: Crm) -> None:
    number = crm.create("company", name="Two editors", city="Before")
    assert save(crm.browser("admin"), number, 1, {}, city="By the form").status == 303
    with crm.refused():
        answer = change(crm, number, 1, city="By the API", name="Other")
    assert answer.status == 409
    found = answer.json()
    assert [one["field"] for one in found["changed"]] == ["city"]
    assert (found["changed"][0]["theirs"], found["changed"][0]["original"]) == ("By the form", "Before")
    assert change(crm, number, 2, city="By the API").status == 200


@pytest.mark.parametrize("turn", range(5))
def test_fault_9_of_many_who_save_at_once_one_wins_and_all_others_are_told(crm: Crm, turn: int) -> None:
    number = crm.create("company", name=f"Crowd {turn}")
    browser = crm.browser("admin")

    def write(who: int) -> Answer:
        if who % 2:
            return change(crm, number, 1, city=f"City {who}")
        return save(browser, number, 1, {}, city=f"City {who}")
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(write, range(8)))
    won = [who for who, answer in enumerate(answers) if answer.status in (200, 303)]
    assert len(won) == 1 and all(answer.status == 409 for who, answer in enumerate(answers) if who not in won)
    record = crm.api("admin").get(f"/api/v1/company/{number}").json()
    assert (record["city"], record["_version"]) == (f"City {won[0]}", 2)
    assert re.fullmatch(r"City \d", record["city"])
