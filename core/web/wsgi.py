"""What granian serves: the application of one worker process, with its pool of connections and its Systems."""

from __future__ import annotations

import atexit

from core.bm.follow import Systems
from core.database import engine as engines
from core.database import silence
from core.plugins import Plugins
from core.settings import Settings
from core.web.application import Application

SECONDS = 10              # that a statement of a request may take: whoever waits longer has gone away


def make(settings: Settings) -> Application:
    """The application over the database that the settings name; it follows promotions until the process ends."""
    engine = engines.open(settings, "app", SECONDS)
    silence.Watch(engine)
    systems = Systems(engine, Plugins.load(settings.addon_folders))
    systems.start()
    atexit.register(systems.stop)
    return Application(settings, engine, systems)


application = make(Settings.load())
