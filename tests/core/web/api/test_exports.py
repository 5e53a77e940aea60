"""Exports through the API."""

from __future__ import annotations

import csv
import io

from tests.core.web.api.conftest import Caller
from tests.unchanged import unchanged


def test_a_table_goes_out_as_csv(callers: dict[str, Caller]) -> None:
    ada = callers["ada"]
    ada.post("company", [{"name": "Exported", "city": "=1+1", "size": 3}, {"name": "Other", "city": "Ulm"}])
    answer = ada.ask("GET", "company", query={"format": "csv", "where": "name in ['Exported', 'Other']",
                                              "fields": "name,city,size", "order": "-name"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="company.csv"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))) == [
        ["name", "city", "size"], ["Other", "Ulm", ""], ["Exported", "'=1+1", "3"]]


def test_json_goes_out_whole(callers: dict[str, Caller]) -> None:
    ada = callers["ada"]
    ada.post("company", [{"name": f"Whole {number}"} for number in range(120)])
    found = ada.get("company", format="json", where="contains(name, 'Whole ')", fields="name")
    assert len(found["records"]) == 120 and found["next"] is None
    lines = ada.ask("GET", "company", query={"format": "jsonl", "where": "name == 'Whole 7'", "fields": "name"}).text
    assert lines.count("\n") == 1 and '"name":"Whole 7"' in lines


def test_without_the_right_to_export_nothing_goes_out(callers: dict[str, Caller], small) -> None:
    with unchanged(small.owner):
        answer = callers["bob"].ask("GET", "company", query={"format": "csv"})
    assert answer.status_code == 403
    assert "may not export" in answer.json["detail"]


def test_what_goes_with_no_export_is_refused(callers: dict[str, Caller]) -> None:
    ada = callers["ada"]
    for query in ({"format": "pdf"}, {"format": "csv", "limit": "5"}, {"format": "csv", "links": "name"},
                  {"format": "csv", "fields": "nothing"}, {"format": "csv", "where": "nothing == 1"},
                  {"format": "csv", "order": "lines"}):
        assert ada.ask("GET", "company", query=query).status_code == 400, query
    assert ada.ask("GET", "nothing", query={"format": "csv"}).status_code == 404


def test_past_case_4_a_path_that_leads_nowhere_is_told(callers: dict[str, Caller]) -> None:
    for table, path in (("company", "sys.account.login"), ("company", "nothing.name"), ("company", "name.x.y"), ("company", ".name"),
                        ("deal", "lines.nothing"), ("deal", "lines.item.x"), ("deal", "lines.item.x.y"), ("deal", "lines.deal.x.y"),
                        ("company", "__class__.__mro__"), ("company", ".".join(["parent"] * 9))):
        for format_ in ("csv", "json"):
            answer = callers["ada"].ask("GET", table, query={"format": format_, "fields": path})
            assert answer.status_code == 400 and answer.json["at"] == "fields", (path, answer.text)


def test_the_description_tells_of_formats(callers: dict[str, Caller]) -> None:
    listed = callers["ada"].get("openapi.json")["paths"]["/api/v1/company"]["get"]
    assert "text/csv" in listed["responses"]["200"]["content"]
    assert any(parameter.get("$ref", "").endswith("/format") or parameter.get("name") == "format"
               for parameter in listed["parameters"])
