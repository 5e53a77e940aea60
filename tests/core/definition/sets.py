"""Small sets of definitions that tests write and load."""

from __future__ import annotations

from pathlib import Path

from core.definition import Loaded, load


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files, with a plain addon.yaml for every addon that brings none."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        parts = Path(path).parts
        about = folder / parts[0] / parts[1] / "addon.yaml"
        if parts[0] == "addons" and not about.exists() and path != f"addons/{parts[1]}/addon.yaml":
            about.write_text(f"addon: {parts[1]}\nversion: 1.0.0\n")


def load_set(folder: Path, files: dict[str, str]) -> Loaded:
    """Write and load a set; its site is the folder `metadata`, if there is one."""
    write(folder, files)
    site = folder / "metadata"
    return load([folder / "addons"], site if site.is_dir() else None, root=folder)
