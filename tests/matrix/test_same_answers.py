"""What somebody may not read is changed, and all that he asks is answered byte for byte as before."""

from __future__ import annotations

import pytest

from core.settings import Settings
from tests.databases import fresh_database
from tests.matrix import changing
from tests.matrix.house import house


@pytest.mark.parametrize("name, every", [("warden", 150)])
def test_past_case_1_hidden_values_change_no_answer(
        server: Settings, tmp_path_factory: pytest.TempPathFactory, name: str, every: int) -> None:
    assert_same(server, tmp_path_factory, name, every)


def assert_same(server: Settings, factory: pytest.TempPathFactory, name: str, every: int) -> None:
    """Ask, change what is hidden from somebody, ask again; in a house of its own, which is of no more use then."""
    with fresh_database(server, factory) as database, house(database) as found:
        caller = found.callers[name]
        before = changing.answers(found, caller, every)
        assert list(changing.different(before, changing.answers(found, caller, every))) == []    # asking changes nothing
        assert changing.change_hidden(found, caller) > 500
        assert list(changing.different(before, changing.answers(found, caller, every))) == []
