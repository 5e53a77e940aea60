"""Promotions made up one after the other, from seeds (SWEEP_SEEDS tries others): values, ways back, what people write meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.bm.backup import backup
from core.bm.restoring import restore
from core.database import engine as engines
from core.settings import Settings
from tests.core.bm.conftest import Live
from tests.core.bm.generated.walk import Walk, walk
from tests.core.bm.test_backup import empty_place
from tests.databases import fresh_database

SEEDS = [int(seed) for seed in os.environ.get("SWEEP_SEEDS", "1,2,4").split(",")]
ROUNDS = 5


def test_made_up_promotions_lose_nothing_and_can_be_taken_back_and_restored(
        server: Settings, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    promoted, refused = 0, 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        with fresh_database(server, tmp_path_factory) as settings:
            made = walk(settings, folder, seed, ROUNDS, most=7)
            restored(server, made, folder)
        promoted, refused = promoted + made.promoted, refused + made.refused
    assert promoted > refused


def restored(server: Settings, made: Walk, folder: Path) -> None:
    """What came of it stands in a backup, and everything is there where that is restored."""
    settings, home = made.live.settings, folder / "restored"
    home.mkdir()
    source, place = (engines.open(settings, "owner"), empty_place(server, made.live, home))
    with place as there:
        try:
            backup(source, settings.home, folder / "all.tessera")
            target = engines.open(there, "owner")
            try:
                restore(target, home, folder / "all.tessera", made.live.plugins)
                before = made.snapshot()
                made.live = Live(made.live.site, there, target)
                assert made.snapshot() == before, f"seed {folder.name}: restored otherwise"
                made.sound()
                made.round()
            finally:
                target.dispose()
        finally:
            source.dispose()
