"""An import of 8,800 rows is killed again and again; at the end every row is there once."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.scenarios.client import ROOT, Site
from tests.scenarios.test_main_job import SALES, every

pytestmark = pytest.mark.skipif(
    not SALES.is_dir(), reason=f"the sales data is not at {SALES}; name its folder in TESSERA_SALES_DATA")

MAPS = ROOT / "docs" / "tutorial" / "import"
ROWS, WON = 8_800, Decimal("10005534")
KILLS, BATCH, MOMENTS = 8, 400, (40, 90)         # moments: from before the first batch to some batches later


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """The demo with what the deals are about."""
    for table, file, name in (("product", "products", "products"), ("company", "accounts", "companies"),
                              ("user", "sales_teams", "people")):
        site.run("import", table, str(SALES / f"{file}.csv"), "--map", str(MAPS / f"{name}.yaml"))
    return site


def deals(site: Site) -> tuple[int, Decimal]:
    """How many there are, and what was won."""
    found = every(site.person("admin"), "/api/v1/opportunity", fields="stage,amount")
    return len(found), sum((Decimal(str(deal["amount"])) for deal in found if deal["stage"] == "won"), Decimal())


def without_a_key(mapping: str) -> str:
    """The same mapping, by which no row can be recognised as one that is in already."""
    lines = [line for line in mapping.splitlines() if not re.match(r"match:| +external_key:", line)]
    return "\n".join([*lines, "ignore: [opportunity_id]"])


@pytest.mark.parametrize("matched", [True, False], ids=["matched", "by_progress_alone"])
def test_fault_31_every_row_comes_in_once(filled: Site, tmp_path: Path, matched: bool) -> None:
    """Without a key to match by, nothing but the progress of the import keeps rows from coming in twice."""
    mapping = MAPS / "opportunities.yaml"
    if not matched:
        (tmp_path / "plain.yaml").write_text(without_a_key(mapping.read_text()))
        mapping = tmp_path / "plain.yaml"
    number, won = deals(filled)
    arguments = ["import", "opportunity", str(SALES / "sales_pipeline.csv"), "--map", str(mapping), "--batch",
                 str(BATCH)]
    choice = random.Random(int(matched))
    killed = 0
    for _ in range(KILLS):
        done = subprocess.run(
            [sys.executable, "-m", "tests.sweep.killed", f"moment:{choice.randint(*MOMENTS)}", *arguments], cwd=ROOT,
            env=filled.environment, capture_output=True, text=True, timeout=200)
        assert done.returncode in (-signal.SIGKILL, 0), done.stdout + done.stderr
        killed += done.returncode != 0
    printed = filled.run(*arguments)
    assert killed == KILLS and "resumed after row" in printed, printed
    assert deals(filled) == (number + ROWS, won + WON)
