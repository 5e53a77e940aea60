"""The agreement of Python and PostgreSQL over ten thousand new expressions."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.scenarios.client import ROOT

EXAMPLES = os.environ.get("EXPRESSION_EXAMPLES", "10000")


def test_ten_thousand_expressions_give_the_same_in_python_and_in_postgresql() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/core/expression/test_agreement.py",
         "-k", "test_an_expression_gives_the_same"], cwd=ROOT, env={**os.environ, "EXPRESSION_EXAMPLES": EXAMPLES},
        capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-6000:]
