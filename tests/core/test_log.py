"""Logs: one JSON object a line, with what is bound to the request, whoever writes them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from core import log


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Other tests keep their logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    log.clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_when_how_bad_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    structlog.get_logger("tessera.test").warning("low disk", left=3)
    line, = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "low disk", "level": "warning", "logger": "tessera.test", "left": 3}


def test_what_is_bound_to_the_request_is_in_every_line_of_libraries_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    log.bind(request="r1", user=7, version=3)
    logging.getLogger("some.library").info("hello %s", "you", extra={"ms": 1.5})
    line, = lines(capsys)
    assert (line["event"], line["request"], line["user"], line["version"], line["ms"]) == ("hello you", "r1", 7, 3, 1.5)


def test_an_error_keeps_its_trace_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        structlog.get_logger("tessera.test").exception("it failed")
    line, = lines(capsys)
    assert "ValueError: broken\nin two" in line["exception"]


def test_below_the_level_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning")
    structlog.get_logger("tessera.test").info("quiet")
    logging.getLogger("other").info("quiet")
    assert lines(capsys) == []


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no level"):
        log.configure("loud")
