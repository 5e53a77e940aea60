"""What callers of the API try after they lost rights, and with addresses that are not theirs."""

from __future__ import annotations

from sqlalchemy import text

from tests.core.web.api.conftest import Caller
from tests.small_system import Small


def test_an_answer_is_not_given_again_to_who_has_lost_a_role(small: Small, callers: dict[str, Caller]) -> None:
    eve = callers["eve"]
    body = {"name": "Before Ltd", "revenue": "5000.00"}
    first = eve.ask("POST", "company", body, Idempotency_Key="lost-rights")
    assert first.status_code == 201
    again = eve.ask("POST", "company", body, Idempotency_Key="lost-rights")
    assert (again.status_code, again.data) == (201, first.data)
    [assignment] = small.all("role_assignment", f"record.user == {small.users['eve']}", ("id",))
    with small.records() as records:
        records.delete("role_assignment", [assignment["id"]])
    try:
        refused = eve.ask("POST", "company", body, Idempotency_Key="lost-rights")
        assert refused.status_code == 422 and "5000" not in refused.text
        assert eve.ask("GET", f"company/{first.json['id']}").status_code == 404
        assert eve.ask("GET", f"company/{first.json['id']}", If_None_Match='"1"').status_code == 404
    finally:
        with small.records() as records:
            records.restore("role_assignment", [assignment["id"]])


def test_an_answer_is_not_given_again_to_somebody_else(small: Small, callers: dict[str, Caller]) -> None:
    body = {"name": "Whose Ltd", "revenue": "7000.00"}
    assert callers["bob"].ask("POST", "company", body, Idempotency_Key="whose").status_code == 201
    other = callers["ada"].ask("POST", "company", {"name": "Other Ltd"}, Idempotency_Key="whose")
    assert other.status_code == 201 and other.json["name"] == "Other Ltd"


def test_an_address_that_a_caller_writes_is_not_where_they_come_from(small: Small, callers: dict[str, Caller]) -> None:
    """What counts strangers goes by the connection; no header says otherwise."""
    application = callers["nobody"].client.application
    before = len(application.limits.strangers)
    for number in range(5):
        callers["nobody"].ask("GET", "company", X_Forwarded_For=f"198.51.100.{number}", Forwarded=f"for=198.51.100.{number}",
                              X_Real_IP=f"198.51.100.{number}")
    assert len(application.limits.strangers) <= before + 1
    with small.owner.connect() as connection:
        assert connection.scalar(text("select count(*) from sys.login_attempt where address like '198.51.%'")) == 0
