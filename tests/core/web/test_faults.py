"""Faults 14, 15, 28 and 29 where they are answered: what a full disk, a limit of time and half a body come to."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import ClientDisconnected

from core.database import address
from core.database import engine as engines
from core.settings import Settings
from core.web import request as requests
from core.web.failures import failure_of
from core.web.request import Request
from tests.core.web.site import Site


@pytest.fixture
def hurried(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Connections of a server whose statements may take a second, and whose transactions may rest one."""
    monkeypatch.setattr(engines, "IDLE", 1)
    engine = engines.connect_to(address.url(database, "app"), size=1, seconds=1)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("way", ["driver", "statement", "commit"])
def test_fault_28_a_transaction_that_rests_too_long_is_ended_and_the_next_is_well(hurried: Engine, way: str) -> None:
    with hurried.connect() as connection:
        connection.execute(text("select 1"))
        time.sleep(2)
        with pytest.raises(DBAPIError) as caught:
            if way == "driver":
                engines.execute(connection, "select 1", {})
            elif way == "statement":
                connection.execute(text("select 1"))
            else:
                connection.commit()
    assert failure_of(caught.value).status == 503
    with hurried.connect() as connection:
        assert connection.scalar(text("select 1")) == 1


@pytest.mark.parametrize("way", ["driver", "statement"])
def test_fault_28_a_statement_that_takes_too_long_ends_and_its_connection_goes_on(hurried: Engine, way: str) -> None:
    with hurried.connect() as connection:
        pid = connection.scalar(text("select pg_backend_pid()"))
        with pytest.raises(DBAPIError) as caught:
            if way == "driver":
                engines.execute(connection, "select pg_sleep(20)", {})
            else:
                connection.execute(text("select pg_sleep(20)"))
        assert failure_of(caught.value).status == 422
    with hurried.connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) == pid


def test_fault_7_when_one_connection_is_lost_those_before_it_are_not_used_again(database: Settings) -> None:
    """After a restart of the database one request fails at most, not one for each connection in the pool."""
    engine = engines.connect_to(address.url(database, "app"), size=4)
    held = [engine.connect() for _ in range(4)]
    for connection in held:
        connection.execute(text("select 1"))
    victims = [connection.scalar(text("select pg_backend_pid()")) for connection in held[1:]]
    for connection in held[1:]:
        connection.close()
    held[0].execute(text("select pg_terminate_backend(pid, 5000) from unnest(cast(:pids as int[])) pid"), {"pids": victims})
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        engines.execute(connection, "select 1", {})
    assert failure_of(caught.value).status == 503
    later = [engine.connect() for _ in range(3)]             # each has one of those that were in the pool
    for connection in later:
        assert engines.execute(connection, "select 1", {}).fetchone() == (1,)
    for connection in (*later, held[0]):
        connection.close()
    engine.dispose()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("large", [False, True])
def test_fault_15_a_body_or_an_export_that_has_no_room_is_507(site: Site, monkeypatch: pytest.MonkeyPatch, number: int,
                                                              large: bool) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))
    browser = site.browser("ada")
    browser.get("/specimens/new")
    form = browser.form("/specimens/new")
    content = b"x" * (requests.IN_MEMORY * 3 if large else 10)
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", full)
        wanted = 507 if large else None
        browser.post("/specimens/new", {**form, "a_text": "x", "a_file": (io.BytesIO(content), "a.txt")},
                     *([wanted] if wanted else []))
    assert failure_of(OSError(errno.EPERM, "no")).status == 500


def body(content: bytes, length: int) -> Request:
    return Request({"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(length),
                    "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input_terminated": True})


@pytest.mark.parametrize("size", [1, requests.IN_MEMORY, requests.IN_MEMORY + 1, 3 * requests.IN_MEMORY])
def test_fault_29_a_body_is_received_as_a_whole_or_not_at_all(size: int) -> None:
    content = os.urandom(size)
    whole = body(content, size)
    whole.max_content_length = size
    whole.receive()
    assert whole.get_data() == content
    half = body(content, size + 1)
    half.max_content_length = size + 1
    with pytest.raises(ClientDisconnected):
        half.receive()
    none = body(b"", 0)
    none.receive()
    assert none.get_data() == b""
