"""Statements that get no answer are given up; idle connections and quick statements are left alone."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from core.database import address, silence
from core.database import engine as engines
from core.settings import Settings


@pytest.fixture
def watched(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, silence.Watch]]:
    """Connections whose watch looks when the test does."""
    monkeypatch.setattr(silence, "LOOK", 3600)
    engine = engines.connect_to(address.url(database, "app"))
    yield engine, silence.Watch(engine)
    engine.dispose()


def sleep(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("select pg_sleep(30)"))


def active(engine: Engine) -> None:
    end = time.monotonic() + 30
    with engine.connect() as connection:
        while not connection.scalar(text("select count(*) from pg_stat_activity where query like '%pg_sleep(30)%'"
                                         " and state = 'active' and pid <> pg_backend_pid()")):
            connection.rollback()
            assert time.monotonic() < end
            time.sleep(0.01)


def test_fault_5_what_waits_is_cut_and_nothing_else(watched: tuple[Engine, silence.Watch]) -> None:
    engine, watch = watched
    with engine.connect() as idle, ThreadPoolExecutor(1) as other:
        idle.execute(text("select 1"))
        waiting = other.submit(sleep, engine)
        active(engine)
        assert [watch.look() for _ in range(silence.PATIENCE)] == [False] * (silence.PATIENCE - 1) + [True]
        assert watch.cut() == 1
        with pytest.raises(OperationalError) as caught:
            waiting.result(30)
        assert caught.value.connection_invalidated
        assert idle.scalar(text("select 1")) == 1
    assert not watch.look() and watch.cut() == 0
    with engine.connect() as connection:                     # the pool is as good as new
        assert connection.scalar(text("select 1")) == 1


def test_fault_5_quick_statements_one_after_the_other_are_not_taken_for_one(watched: tuple[Engine, silence.Watch]) -> None:
    engine, watch = watched
    with engine.connect() as connection:
        for _ in range(5):
            connection.execute(text("select 1"))
            assert not watch.look()


def test_fault_5_only_silence_is_none(watched: tuple[Engine, silence.Watch], monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is an answer too; a port that takes connections and says nothing is not."""
    engine, watch = watched
    assert watch._answers()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        monkeypatch.setattr(engine, "url", engine.url.set(port=mute.getsockname()[1]))
        assert not watch._answers()
        monkeypatch.setattr(engine, "url", engine.url.set(port=1))
        assert watch._answers()
        monkeypatch.setattr(engine, "url", engine.url.set(password="wrong"))
        assert watch._answers()
