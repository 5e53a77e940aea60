"""Relations through the API: ids on the wire with titles and tables beside them, parts of lists added and removed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.test import Client

from core.settings import Settings
from core.web.api.routes import ROUTES
from core.web.application import Application
from tests.core.ed.relations.conftest import FILES
from tests.core.web.api.conftest import Caller, token_for
from tests.small_system import small_system


@pytest.fixture(scope="module")
def ada(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An administrator of a system with relations of every kind."""
    with small_system(database, tmp_path_factory.mktemp("relations"), FILES) as small:
        client = Client(Application(small.settings, small.engine, small.systems, ROUTES))
        yield Caller(small, client, token_for(small, "ada"))


def patch(ada: Caller, path: str, body: dict[str, object]) -> None:
    """Change a record as it is now; fails unless it is 200."""
    answer = ada.ask("PATCH", path, {**body, "_version": ada.get(path)["_version"]})
    assert answer.status_code == 200, answer.text


def test_links_travel_as_ids_with_titles_and_tables(ada: Caller) -> None:
    firm = ada.post("firm", {"name": "Acme"})["id"]
    ann = ada.post("employee", {"name": "Ann"})["id"]
    made = ada.post("event", {"name": "E", "recipient": ann, "subject": firm})
    found = ada.get(f"event/{made['id']}")
    assert {key: found[key] for key in found if key.startswith(("recipient", "subject"))} == {
        "recipient": ann, "recipient_title": "Ann", "recipient_table": "employee",
        "subject": firm, "subject_title": "Acme", "subject_table": "firm"}
    listed = ada.get("event", where="recipient is employee", fields="name,recipient.employee.name", order="-recipient")
    assert [one["recipient.employee.name"] for one in listed["records"]] == ["Ann"]
    patch(ada, f"event/{made['id']}", {"recipient": firm, "subject": None})
    found = ada.get(f"event/{made['id']}", fields="recipient,subject")
    assert (found["recipient_table"], found["subject"], found["subject_title"]) == ("party", None, None)


def test_lists_are_written_whole_or_in_part(ada: Caller) -> None:
    one, two = (ada.post("person", {"name": name})["id"] for name in ("Pia", "Pit"))
    firm = ada.post("firm", {"name": "F", "people": [one]})["id"]
    labels = [ada.post("label", {"name": name})["id"] for name in "ab"]
    paper = ada.post("paper", {"name": "P", "labels": labels[:1]})["id"]
    for people, expected in (({"add": [two]}, [one, two]), ({"remove": [one]}, [two]), ([one], [one]), ([], []),
                             (None, [])):
        patch(ada, f"firm/{firm}", {"people": people})
        assert ada.get(f"firm/{firm}", fields="people")["people"] == expected
    patch(ada, f"paper/{paper}", {"labels": {"add": labels, "remove": []}})
    found = ada.get(f"paper/{paper}")
    assert (found["labels"], found["labels_title"]) == (labels, ["a", "b"])


@pytest.mark.parametrize("table, body, field", [
    ("event", {"name": "x", "recipient": "1"}, "recipient"), ("event", {"name": "x", "recipient": [1]}, "recipient"),
    ("event", {"name": "x", "recipient": {"employee": 1}}, "recipient"),
    ("event", {"name": "x", "subject": True}, "subject"),
    ("event", {"name": "x", "recipient": 2**63}, "recipient"), ("firm", {"name": "x", "people": 1}, "people"),
    ("firm", {"name": "x", "people": [1.5]}, "people"), ("firm", {"name": "x", "people": {"add": {}}}, "people"),
    ("firm", {"name": "x", "people": {}}, "people"), ("paper", {"name": "x", "labels": {"drop": [1]}}, "labels"),
    ("event", {"name": "x", "recipient_table": "party"}, "recipient_table"),
])
def test_bad_values_are_told_at_their_field(ada: Caller, table: str, body: dict[str, object], field: str) -> None:
    answer = ada.ask("POST", table, body)
    assert answer.status_code == 422 and [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize("path", [
    "event?order=subject", "event?fields=recipient.name", "event?where=recipient.nix", "event?fields=subject.nix.name",
    "event?where=people", "firm?order=people", "event?fields=recipient.employee.nix", "event?order=recipient.party",
    "event?where=subject.firm.town=='x'", "event?order=recipient.employee.name", "firm?fields=people.name",
    "firm?where=count(people)>0", "event?fields=subject.firm.name,subject.employee",
    "event/group?by=recipient&aggregates=n:count()", "event/group?by=subject", "firm/group?by=people",
])
def test_whatever_is_asked_there_is_an_answer(ada: Caller, path: str) -> None:
    assert ada.ask("GET", path).status_code in (200, 400)


def test_the_description_knows_them(ada: Caller) -> None:
    schemas = ada.get("openapi.json")["components"]["schemas"]
    event = schemas["event"]["properties"]
    assert {"recipient_title", "recipient_table", "subject_title", "subject_table"} <= event.keys()
    assert "people_title" in schemas["firm"]["properties"]
