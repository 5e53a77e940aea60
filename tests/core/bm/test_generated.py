"""Promotions that nobody thought of: made up from fixed seeds, and compared with what their edits must give."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import Settings
from tests.core.bm.generated.walk import walk


@pytest.mark.parametrize("seed", [1, 2, 6])
def test_made_up_promotions_give_what_their_edits_say(database_of_test: Settings, tmp_path: Path, seed: int) -> None:
    made = walk(database_of_test, tmp_path, seed, 4)
    assert made.promoted > made.refused
