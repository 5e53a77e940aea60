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
ROWS, KILLS, BATCH = 8_800, 8, 800


@pytest.mark.parametrize("matched", [True, False], ids=["matched", "by_progress_alone"])
def test_every_row_comes_in_once(site: Site, tmp_path: Path, matched: bool) -> None:
    """Without a key to match by, nothing but the progress of the import keeps rows from coming in twice."""
    mapping = MAPS / "opportunities.yaml"
    before = 0
    if not matched:
        before = len(every(site.person("admin"), "/api/v1/opportunity", fields="id"))
        text = "\n".join(line for line in mapping.read_text().splitlines()
                         if not line.startswith("match:") and not line.lstrip().startswith("external_key:"))
        mapping = tmp_path / "plain.yaml"
        mapping.write_text(text)
    else:
        for table, file, name in (("product", "products", "products"), ("company", "accounts", "companies"),
                                  ("user", "sales_teams", "people")):
            site.run("import", table, str(SALES / f"{file}.csv"), "--map", str(MAPS / f"{name}.yaml"), code=None)
        before = len(every(site.person("admin"), "/api/v1/opportunity", fields="id"))
    arguments = ["import", "opportunity", str(SALES / "sales_pipeline.csv"), "--map", str(mapping), "--batch",
                 str(BATCH)]
    choice = random.Random(int(matched))
    killed, resumed = 0, set()
    for _ in range(KILLS):
        done = subprocess.run(
            [sys.executable, "-m", "tests.sweep.killed", f"moment:{choice.randint(8, 60)}", *arguments], cwd=ROOT,
            env=site.environment, capture_output=True, text=True, timeout=200)
        assert done.returncode in (-signal.SIGKILL, 0), done.stdout + done.stderr
        killed += done.returncode != 0
    printed = site.run(*arguments)
    resumed.update(re.findall(r"resumed after row (\d+)", printed))
    assert killed >= KILLS // 2 and resumed, printed
    deals = every(site.person("admin"), "/api/v1/opportunity", fields="stage,amount,external_key")
    assert len(deals) == before + ROWS
    won = sum(Decimal(str(deal["amount"])) for deal in deals
              if deal["stage"] == "won" and bool(deal["external_key"]) == matched)
    assert won >= Decimal("10005534")
