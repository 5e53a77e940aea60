"""Who sends too much waits; what is remembered of callers is bounded; a flood of strangers shuts nobody out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from werkzeug.test import Client, TestResponse

from core.settings import Settings
from core.web.application import Application
from core.web.limits import Buckets
from tests.core.web.api.conftest import token_for
from tests.core.web.site import PASSWORD, Site
from tests.small_system import Small


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills_again() -> None:
    clock = Clock()
    buckets = Buckets(60, clock)
    taken = [buckets.take("a") for _ in range(60)]
    assert all(left is not None and left.allowed for left in taken)
    assert [left.remaining for left in taken if left][::59] == [59, 0]
    refused = buckets.take("a")
    assert refused is not None and (refused.allowed, refused.remaining, refused.seconds) == (False, 0, 1)
    assert buckets.take("b").allowed  # type: ignore[union-attr]
    clock.now += 1
    assert buckets.take("a").allowed and not buckets.take("a").allowed  # type: ignore[union-attr]
    clock.now += 3_600
    left = buckets.look("a")
    assert left is not None and left.remaining == 60 and buckets.look("a").remaining == 60  # type: ignore[union-attr]
    assert left.headers == {"RateLimit-Policy": '"default";q=60;w=60', "RateLimit": '"default";r=60;t=1'}


def test_nothing_is_limited_by_zero() -> None:
    buckets = Buckets(0)
    assert buckets.take("a") is None and buckets.look("a") is None and len(buckets) == 0


def test_past_case_40_what_is_kept_of_callers_is_bounded() -> None:
    buckets = Buckets(60, Clock(), most=1_000)
    for number in range(100_000):
        buckets.take(number)
    assert len(buckets) == 1_000 and 99_999 in buckets and 0 not in buckets


@pytest.fixture
def client(small: Small) -> Client:
    """A worker that takes five requests a minute of each caller, and three of strangers."""
    settings = small.settings.model_copy(update={"rate": 5, "anonymous_rate": 3})
    return Client(Application(settings, small.engine, small.systems))


@pytest.fixture(scope="module")
def tokens(small: Small) -> list[str]:
    return [token_for(small, "ada"), token_for(small, "bob")]


def ask(client: Client, token: str | None, address: str = "10.0.0.1") -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get("/api/v1/company", headers=headers, environ_overrides={"REMOTE_ADDR": address})


def test_who_sends_too_much_is_told_when_to_come_back(client: Client, tokens: list[str]) -> None:
    answers = [ask(client, tokens[0]) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["RateLimit"].partition(";t")[0] for answer in answers] == [
        f'"default";r={rest}' for rest in (4, 3, 2, 1, 0, 0)]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    assert answers[-1].content_type == "application/problem+json" and answers[-1].json["status"] == 429  # type: ignore[index]
    assert ask(client, tokens[1]).status_code == 200                      # another's bucket


def test_strangers_wait_by_address_and_shut_nobody_out(client: Client, small: Small, tokens: list[str]) -> None:
    assert ask(client, tokens[0]).status_code == 200                      # known to this worker from now on
    answers = [ask(client, f"wrong-{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"
    assert ask(client, None).status_code == 429
    assert ask(client, tokens[0]).status_code == 200
    assert ask(client, "wrong", "10.0.0.2").status_code == 401            # another address
    asked: list[str] = []
    note = lambda conn, cursor, statement, *rest: asked.append(statement)  # noqa: E731
    event.listen(small.engine, "before_cursor_execute", note)
    try:
        assert ask(client, "wrong").status_code == 429 and asked == []    # not a statement is spent on the flood
    finally:
        event.remove(small.engine, "before_cursor_execute", note)


def test_a_household_of_new_addresses_is_one_stranger(client: Client) -> None:
    answers = [ask(client, None, f"2001:db8:0:1::{number}").status_code for number in range(1, 5)]
    assert answers == [401, 401, 401, 429]
    assert ask(client, None, "2001:db8:0:2::1").status_code == 401
    assert ask(client, None, "").status_code == 401 and ask(client, None, "unknown").status_code == 401


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, server: Settings) -> Iterator[Site]:
    from tests.core.web.site import sample_site
    from tests.databases import fresh_database
    with fresh_database(server, tmp_path_factory) as database, \
            sample_site(database, tmp_path_factory.mktemp("web")) as found:
        yield found


def test_signing_in_is_limited_by_address(site: Site) -> None:
    settings = site.settings.model_copy(update={"rate": 20, "anonymous_rate": 3})
    site.application = Application(settings, site.engine, site.systems)
    browser = site.browser()
    browser.get("/login")
    for _ in range(2):
        browser.post("/login", {**browser.form("/login"), "login": "ada", "password": "wrong"}, 401)
    browser.page = None
    browser.get("/login", 429)
    assert "Retry-After" in browser.page.headers and "RateLimit" not in browser.page.headers  # type: ignore[attr-defined]
    site.application = Application(settings, site.engine, site.systems)
    ada = site.browser("ada")
    for _ in range(20):
        ada.get("/my-account")
    ada.get("/my-account", 429)
    assert PASSWORD not in ada.text
