"""Settings: defaults, then files, then the environment; what is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from core.errors import Refused
from core.settings import ENVIRONMENT, ROOT, Settings


def load(tmp_path: Path, environ: dict[str, str] | None = None, **files: str) -> Settings:
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    for name, text in files.items():
        (config / f"{name}.yaml").write_text(text)
    return Settings.load(environ or {}, config)


def test_without_files_and_environment_there_are_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.home, settings.port, settings.host) == (ROOT / "var", 8000, "127.0.0.1")


def test_the_default_file_comes_first_then_others_then_the_environment(tmp_path: Path) -> None:
    settings = load(tmp_path, {"PORT": "8003"}, a="port: 8002\nworkers: 3", default="port: 8001\nthreads: 5")
    assert (settings.port, settings.workers, settings.threads) == (8003, 3, 5)


def test_an_empty_variable_is_no_setting(tmp_path: Path) -> None:
    assert load(tmp_path, {"TESSERA_DATABASE": "", "PORT": ""}).database is None


def test_paths_of_a_file_start_at_the_project_and_those_of_the_environment_here(tmp_path: Path) -> None:
    settings = load(tmp_path, {"TESSERA_METADATA": "site"}, a="home: data\naddons: [more]")
    assert (settings.home, settings.metadata) == (tmp_path / "data", Path.cwd() / "site")
    assert settings.addon_folders == (ROOT / "addons", tmp_path / "more")


def test_several_addon_folders_are_given_like_a_path(tmp_path: Path) -> None:
    assert load(tmp_path, {"TESSERA_ADDONS": os.pathsep.join(["/a", "/b"])}).addons == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(("environ", "text", "message"), [
    ({"PORT": "eighty"}, "", "port: Input should be a valid integer"),
    ({"PORT": "70000"}, "", "port: Input should be less than or equal to 65535"),
    ({}, "colour: blue", "colour: Extra inputs are not permitted"),
    ({}, "workers: 0", "workers: Input should be greater than or equal to 1"),
    ({}, "- 1", "must be a map of settings"),
    ({}, "a: [", "cannot be read"),
])
def test_what_is_wrong_is_named(tmp_path: Path, environ: dict[str, str], text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        load(tmp_path, environ, a=text)


def test_the_default_file_names_every_setting_and_variable(project: Path) -> None:
    text = (project / "config" / "default.yaml").read_text()
    assert all(f"{name}:" in text for name in Settings.model_fields)
    assert all(variable in text for variable in ENVIRONMENT)
    assert yaml.safe_load(text) is None
