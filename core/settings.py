"""The settings of one system: defaults, then config/*.yaml, then the environment, as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import Refused

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    "TESSERA_HOME": "home",
    "TESSERA_DATABASE": "database",
    "TESSERA_ADDONS": "addons",
    "TESSERA_METADATA": "metadata",
    "TESSERA_HOST": "host",
    "TESSERA_WORKERS": "workers",
    "TESSERA_RATE": "rate",
    "TESSERA_ANONYMOUS_RATE": "anonymous_rate",
    "TESSERA_LOG": "log",
    "TESSERA_OFFLINE": "offline",
    "TESSERA_OFFLINE_DATABASE": "offline_database",
    "PORT": "port",
}


class Settings(BaseModel):
    """What a system needs to know about its machine; nothing in it is secret but a password inside `database`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = ROOT / "var"
    database: str | None = None                      # None: the embedded PostgreSQL in `home`
    postgres: dict[str, str] = Field(default_factory=dict)       # parameters of the embedded server
    addons: tuple[Path, ...] = ()                    # more addon folders, besides `addons/` of the project
    metadata: Path = ROOT / "metadata"               # the site's own layer
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    threads: int = Field(default=8, ge=1, le=256)    # requests that a worker works on at once
    job_threads: int = Field(default=4, ge=1, le=64)             # jobs that one `work` process runs at once
    kill_timeout: int = Field(default=5, ge=1, le=600)           # seconds that a stopping worker gets
    rate: int = Field(default=12_000, ge=0)          # requests of one token or session in a minute, by each worker
    anonymous_rate: int = Field(default=600, ge=0)   # of all who are not signed in, from one address
    trash_days: int = Field(default=90, ge=0, le=36_500)         # before deleted records go for good; 0: never
    parked_days: int = Field(default=30, ge=0, le=36_500)        # what promotions removed is kept at least so long
    purge_parked: bool = False                       # whether it goes for good after that, once a day
    trash_history: bool = False                      # whether the history of what is gone for good is kept
    log: str = "info"
    offline: bool = True                             # whether there is an offline system under /offline/
    offline_at_start: bool = False                   # whether it starts with the server, not with its first request
    offline_database: str | None = None              # None: beside the live one, with "_offline" after its name

    @property
    def addon_folders(self) -> tuple[Path, ...]:
        """Every folder that holds addons: the project's own first."""
        return (ROOT / "addons", *self.addons)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, config: Path = ROOT / "config") -> Settings:
        """Read the settings of this process; raises Refused naming the key that is wrong."""
        values: dict[str, Any] = {}
        for path in _config_files(config):
            values |= _from(config.parent, _read(path))
        for variable, key in ENVIRONMENT.items():
            text = (os.environ if environ is None else environ).get(variable, "")
            if text:
                values[key] = text.split(os.pathsep) if key == "addons" else text
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            raise Refused("the settings are wrong: " + "; ".join(lines)) from None
        return settings.model_copy(update=_absolute(settings))


def _config_files(config: Path) -> list[Path]:
    return sorted(config.glob("*.yaml"), key=lambda path: (path.name != "default.yaml", path.name))


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise Refused(f"{path}: must be a map of settings")
    return {str(key): value for key, value in values.items()}


def _from(root: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Relative paths of a file of settings start at the project; those of the environment at the current folder."""
    for key in ("home", "metadata"):
        if isinstance(values.get(key), str):
            values[key] = root / Path(values[key]).expanduser()
    if isinstance(values.get("addons"), list):
        values["addons"] = [root / Path(str(path)).expanduser() for path in values["addons"]]
    return values


def _absolute(settings: Settings) -> dict[str, Any]:
    """Paths stay the same wherever a later command or child is started."""
    return {
        "home": settings.home.expanduser().absolute(),
        "metadata": settings.metadata.expanduser().absolute(),
        "addons": tuple(path.expanduser().absolute() for path in settings.addons),
    }
