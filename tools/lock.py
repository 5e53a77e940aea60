"""New lock files after a change of requirements*.in or package.json; none of them holds an address."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
SETS = ("requirements", "requirements-dev", "requirements-node")


def main() -> int:
    """Lock Python's packages with hashes for all platforms, then the browser's."""
    for name in SETS:
        subprocess.run([UV, "pip", "compile", "--generate-hashes", "--universal", "--python-version", "3.11",
                        "--no-header", "--quiet", f"{name}.in", "-o", f"{name}.txt"], check=True, cwd=ROOT)
    subprocess.run(["npm", "install", "--package-lock-only"], check=True, cwd=ROOT)
    path = ROOT / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
