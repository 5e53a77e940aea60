"""The API in front of a small live system, asked in-process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from core.web.accounts import digest
from core.web.api.routes import ROUTES
from core.web.application import Application
from tests.small_system import DEALS, Small, small_system

MORE = {"tables/company.yaml": DEALS["tables/company.yaml"].replace("  vip: ", "  seen:    {type: datetime}\n  vip: ") + (
    "rules:\n  large: {check: size is None or size <= 1000000, level: warning, message: \"So large?\"}\n")}


@pytest.fixture(scope="module")
def small(database, tmp_path_factory) -> Iterator[Small]:
    with small_system(database, tmp_path_factory.mktemp("small"), MORE) as system:
        yield system


@dataclass
class Caller:
    """Somebody with a token."""

    small: Small
    client: Client
    token: str | None

    def ask(self, method: str, path: str, body: object = None, *, raw: bytes | None = None,
            query: dict[str, str] | None = None, **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(f"/api/v1/{path}", method=method, data=data, headers=sent, query_string=query)

    def get(self, path: str, **query: str) -> Any:
        """What a list or record answers; fails unless it is 200."""
        answer = self.ask("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, table: str, body: object, **headers: str) -> Any:
        """Create; fails unless it is 201."""
        answer = self.ask("POST", table, body, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json


@pytest.fixture(scope="module")
def callers(small: Small) -> dict[str, Caller]:
    client = Client(Application(small.settings, small.engine, small.systems, ROUTES))
    found = {"nobody": Caller(small, client, None)}
    for user in small.users:
        found[user] = Caller(small, client, token_for(small, user))
    return found


def token_for(small: Small, user: str, **columns: str) -> str:
    """A token of a user; columns of sys.token may be set as SQL."""
    token = f"token-{user}-{'-'.join(columns)}"
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    with small.owner.begin() as connection:
        connection.execute(text(f"insert into sys.token (hash, account_id, name{names}) "
                                f"select :hash, id, 'test'{values} from sys.account where login = :login"),
                           {"hash": digest(token), "login": user})
    return token


@pytest.fixture
def ada(callers: dict[str, Caller]) -> Caller:
    """An administrator."""
    return callers["ada"]


@pytest.fixture
def bob(callers: dict[str, Caller]) -> Caller:
    """A seller: reads companies but not their secret, and own deals only."""
    return callers["bob"]
