"""Spoilt copies of the shipped addons: problems at places or a Model that works, in bounded time, never an exception."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from core.bm.inputs.facts import Facts
from core.bm.planning.plan import plan
from core.bm.versions import live
from core.bm.versions.identities import assign
from core.bm.versions.state import EMPTY, state_of
from core.definition import Loaded, load
from core.ed.schema import name_all
from core.ed.session import Session
from core.ed.system import System
from core.plugins import Plugins
from core.web.api import openapi
from tests.core.definition.test_any_input import HARM
from tests.scenarios.client import ROOT

SECONDS = float(os.environ.get("SWEEP_SECONDS", "90"))
LONGEST = 20.0          # seconds that one set may take; a whole one takes less than one


def spoil(folder: Path, choice: random.Random) -> list[str]:
    """Harm a few files; tells which."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".xml", ".po") and path.is_file()
                   and "demo" not in path.parts)
    chosen = choice.sample(files, choice.randrange(1, 4))
    for path in chosen:
        text = path.read_text(encoding="utf-8")
        for _ in range(choice.randrange(1, 4)):
            text = choice.choice(HARM)(text, choice)
        path.write_text(text, encoding="utf-8")
    return [str(path.relative_to(folder)) for path in chosen]


def use(loaded: Loaded, plugins: Plugins, connection: Connection) -> None:
    """Everything that comes after `check` and needs no tables: identities, plan, columns, the API's description."""
    state = assign(EMPTY, state_of(loaded.must(), live.contents(loaded, plugins).hash), [], 1)
    made = plan(EMPTY, state, Facts())
    assert made.steps and not made.problems
    assert state.model is not None
    system = System(1, state.model, state.identities, name_all(state.model, state.identities, {}), plugins)
    for table in state.model.tables:
        system.stored(table)
    openapi.document(Session.system_session(system, connection))


def test_spoilt_addons_are_refused_at_places_or_work(tmp_path: Path, connection: Connection) -> None:
    original = tmp_path / "original"
    shutil.copytree(ROOT / "addons", original / "addons")
    shutil.copytree(ROOT / "metadata", original / "site")
    plugins = Plugins()
    seed = int(os.environ.get("SWEEP_SEED", "0")) or random.SystemRandom().randrange(10**6)
    end, rounds, refused = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < end:
        rounds, seed = rounds + 1, seed + 1
        folder = tmp_path / "spoilt"
        shutil.copytree(original, folder)
        names = spoil(folder, random.Random(seed))
        begun = time.monotonic()
        try:
            loaded = load([folder / "addons"], folder / "site", plugins, root=folder)
            assert (loaded.model is None) == bool(loaded.problems)
            assert all((folder / one.file).is_file() and one.line > 0 and one.column > 0 for one in loaded.problems)
            if loaded.problems:
                refused += 1
            else:
                use(loaded, plugins, connection)
        except Exception as error:
            shutil.copytree(folder, tmp_path / f"seed_{seed}")
            pytest.fail(f"SWEEP_SEED={seed - 1}, {', '.join(names)} (kept in {tmp_path}/seed_{seed}): {error!r}")
        assert time.monotonic() - begun < LONGEST, f"SWEEP_SEED={seed - 1}: {names} took too long"
        shutil.rmtree(folder)
    assert rounds > 20 and 0 < refused < rounds, f"{refused} of {rounds} were refused"
