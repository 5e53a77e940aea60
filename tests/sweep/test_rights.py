"""Every table, field, action and role at every entry point, and all answers after what is hidden has changed.

All of it takes most of an hour, so that one of SWEEP_EVERY questions and acts is tried (1: all), of each caller others;
tests/matrix takes a smaller share in `make test`.
"""

from __future__ import annotations

import os

import pytest

from core.settings import Settings
from tests.matrix import acts, checks
from tests.matrix.conftest import vault
from tests.matrix.house import PEOPLE, TOKENS, House
from tests.matrix.test_same_answers import assert_same

__all__ = ["vault"]
CALLERS = (*PEOPLE, *TOKENS)
EVERY = int(os.environ.get("SWEEP_EVERY", "10"))


def start(name: str) -> int:
    """Where a caller's share begins."""
    return sum(map(ord, name))


@pytest.mark.parametrize("name", CALLERS)
def test_lists_records_and_exports_have_just_what_the_grants_give(vault: House, name: str) -> None:
    assert [*checks.told_too_little(vault, vault.callers[name]),
            *checks.taken_out(vault, vault.callers[name], EVERY, start(name))] == []


@pytest.mark.parametrize("name", (*CALLERS, "stranger"))
def test_no_answer_tells_what_its_reader_may_not_read(vault: House, name: str) -> None:
    assert list(checks.told_too_much(vault, vault.callers[name], EVERY, start(name))) == []


@pytest.mark.parametrize("name", CALLERS)
def test_hidden_names_and_texts_are_as_unknown_as_those_that_are_not_there(vault: House, name: str) -> None:
    assert list(checks.unlike_unknown(vault, vault.callers[name], EVERY, start(name))) == []
    assert list(checks.betrayed(vault, vault.callers[name], EVERY, start(name))) == []


@pytest.mark.parametrize("name", (*CALLERS, "stranger"))
def test_what_may_not_be_done_is_not_and_leaves_no_trace(vault: House, name: str) -> None:
    assert list(acts.misdone(vault, vault.callers[name], EVERY, start(name))) == []


@pytest.mark.parametrize("name", [name for name in CALLERS if name != "administrator"])
def test_hidden_values_change_no_answer(
        server: Settings, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    assert_same(server, tmp_path_factory, name, 1 if EVERY == 1 else 4 * EVERY)
