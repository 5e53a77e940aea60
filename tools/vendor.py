"""Copies browser files of other projects to where pages find them, and draws one sprite of the icons in use."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
WEB = ROOT / "core" / "web"
TARGET = WEB / "static" / "vendor"
LISTED = WEB / "vendor.txt"
ICONS = WEB / "icons.txt"
OUTLINE = MODULES / "@tabler" / "icons" / "icons" / "outline"
ICON_LINE = re.compile(r"^\s*icon:\s*[\"']?([a-z0-9-]+)", re.MULTILINE)
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
SOURCE_MAP = re.compile(rb"\n?/[/*]# sourceMappingURL=[^\n*]*(?:\*/)?")


def main() -> int:
    """Build the folder beside its place and move it there."""
    new = TARGET.with_name("vendor.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    manifest = {}
    for name, source in listed().items():
        manifest[name] = _put(new, name, SOURCE_MAP.sub(b"", (MODULES / source).read_bytes()))
    drawn, unknown = sprite()
    manifest["icons.svg"] = _put(new, "icons.svg", drawn.encode())
    (new / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
    shutil.rmtree(TARGET, ignore_errors=True)
    new.rename(TARGET)
    for name in unknown:
        print(f"icons: there is no icon {name!r} in tabler", file=sys.stderr)
    return 0


def listed() -> dict[str, str]:
    """The files of vendor.txt: the name for pages -> the file in node_modules."""
    lines = (line.split() for line in LISTED.read_text().splitlines() if line.strip() and line[0] != "#")
    return {words[0]: words[1] for words in lines}


def wanted_icons() -> set[str]:
    """The icons that pages name in icons.txt and addons in their definitions."""
    lines = ICONS.read_text().splitlines() if ICONS.exists() else []
    wanted = {line.strip() for line in lines if line.strip() and line[0] != "#"}
    for path in (ROOT / "addons").rglob("*.yaml"):
        wanted |= set(ICON_LINE.findall(path.read_text(encoding="utf-8")))
    return wanted | {"point"}


def sprite() -> tuple[str, list[str]]:
    """One SVG with a symbol `tabler-NAME` for each icon, and the names that tabler does not know."""
    symbols, unknown = [], []
    for name in sorted(wanted_icons()):
        path = OUTLINE / f"{name}.svg"
        if not path.exists():
            unknown.append(name)
            continue
        drawing = DRAWING.search(path.read_text(encoding="utf-8"))
        inner = " ".join(drawing.group(1).split()) if drawing else ""
        symbols.append(f'<symbol id="tabler-{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
                       f'stroke-width="2" stroke-linecap="round" stroke-linejoin="round">{inner}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "\n".join(symbols) + "</svg>\n", unknown


def complete() -> bool:
    """Whether all files that the manifest names are there."""
    try:
        names = json.loads((TARGET / "manifest.json").read_text()).values()
    except (OSError, ValueError, AttributeError):
        return False
    return all((TARGET / name).is_file() for name in names)


def _put(folder: Path, name: str, data: bytes) -> str:
    stem, dot, ending = name.partition(".")
    hashed = f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{dot}{ending}"
    (folder / hashed).write_bytes(data)
    return hashed


if __name__ == "__main__":
    sys.exit(main())
