"""schemathesis against the API of the shipped addons; `make sweep` does the same for longer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from core.settings import Settings
from core.web.accounts import digest
from core.web.application import Application
from tests.whole_api import demo_application, failures


@pytest.fixture(scope="module")
def application(database: Settings) -> Iterator[Application]:
    """The demo's application in this process; whoever asks it may ask as often as they like."""
    with demo_application(database) as found:
        yield found


def test_the_api_is_what_it_says_of_itself(application: Application) -> None:
    with application.engine.begin() as connection:
        connection.execute(text("insert into sys.token (hash, account_id, name) select :hash, id, 'short'"
                                " from sys.account where login = 'admin'"), {"hash": digest("short")})
    found, seen = failures(application, {"Authorization": "Bearer short"}, examples=1, stateful=2)
    assert not found, "\n\n".join(found)
    methods = {method: sum(count for answer, count in seen.items() if answer.startswith(method))
               for method in ("GET", "POST", "PATCH", "DELETE")}
    assert min(methods.values()) > 15 and seen["GET 200"] > 15 and seen["POST 201"] > 0, seen
