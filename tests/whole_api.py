"""schemathesis against the whole API as it describes itself, over HTTP; what fails is told in lines."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import schemathesis
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    SimpleCheckConfig,
    StatefulPhaseConfig,
)
from schemathesis.config._checks import (
    MissingRequiredHeaderConfig,
    NegativeDataRejectionConfig,
    PositiveDataAcceptanceConfig,
)
from schemathesis.engine import events, from_schema
from werkzeug.serving import make_server

from core.bm import service
from core.bm.follow import Systems
from core.cli.init import initialise
from core.database import engine as engines
from core.settings import ROOT, Settings
from core.web.application import Application

logging.getLogger("werkzeug").setLevel(logging.ERROR)

# Checked: not_a_server_error, status_code_, content_type_, response_schema_ and response_headers_conformance,
# negative_data_rejection, use_after_free, ignored_auth, unsupported_method.
CHECKS = ChecksConfig(
    negative_data_rejection=NegativeDataRejectionConfig(
        expected_statuses=["400", "401", "403", "404", "405", "409", "411", "413", "415", "422", "428"]),
    positive_data_acceptance=PositiveDataAcceptanceConfig(enabled=False),              # what fits may still break a rule or a link
    ensure_resource_availability=SimpleCheckConfig(enabled=False),          # a record may be out of its maker's sight
    missing_required_header=MissingRequiredHeaderConfig(enabled=False))               # none is required but a version, somewhere


def failures(application: Any, headers: dict[str, str], *, examples: int, seed: int = 1, stateful: int = 0,
             coverage: bool = False, paths: Sequence[str] = ()) -> tuple[list[str], Counter[str]]:
    """What schemathesis finds wrong, each once, and how many answers of each status came."""
    generation = GenerationConfig(max_examples=examples, no_shrink=False, database="none")
    phases = PhasesConfig(
        examples=ExamplesPhaseConfig(enabled=True), coverage=CoveragePhaseConfig(enabled=coverage),
        fuzzing=FuzzingPhaseConfig(enabled=examples > 0, generation=generation),
        stateful=StatefulPhaseConfig(enabled=stateful > 0, max_steps=6,
                                     generation=GenerationConfig(max_examples=stateful, database="none")))
    project = ProjectConfig(headers=headers, phases=phases, checks=CHECKS, generation=generation,
                            continue_on_failure=True)
    config = SchemathesisConfig(seed=seed, projects=ProjectsConfig(default=project))
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    with served(application) as address:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", config=config, headers=headers)
        if paths:
            schema = schema.include(path=list(paths))
        for event in from_schema(schema).execute():
            _note(event, found, seen)
    return list(found.values()), seen


@contextmanager
def served(application: Any) -> Iterator[str]:
    """An application behind a server of this process."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _note(event: Any, found: dict[str, str], seen: Counter[str]) -> None:
    if isinstance(event, events.ScenarioFinished):
        for interaction in event.recorder.interactions.values():
            answer = interaction.response
            seen[f"{interaction.request.method} {answer.status_code if answer else '-'}"] += 1
        for case, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    told = check.failure_info.failure
                    told_at = event.recorder.cases[case].value
                    found.setdefault(f"{check.name} {told_at.operation.label}",
                                     f"{check.name} {told_at.operation.label}: {told.title}: {told.message}\n"
                                     f"    {told_at.as_curl_command()[:1500]}\n"
                                     f"    -> {_said(event.recorder, case)}")
    elif isinstance(event, (events.NonFatalError, events.FatalError)):
        error = getattr(event, "value", None) or event.exception
        found.setdefault(str(error)[:200], f"{type(event).__name__}: {getattr(event, 'label', '')}: {error}"[:1500])


def _said(recorder: Any, case: str) -> str:
    interaction = recorder.interactions.get(case)
    answer = interaction.response if interaction else None
    return f"{answer.status_code} {answer.content[:400]!r}" if answer is not None else "no answer"


@contextmanager
def demo_application(database: Settings) -> Iterator[Application]:
    """The demo's application in this process; whoever asks it may ask as often as they like."""
    site = database.model_copy(update={"metadata": ROOT / "metadata", "rate": 0, "anonymous_rate": 0})
    with service.owner(site) as owner:
        initialise(site, owner, demo=True)
    engine = engines.open(site, "app")
    yield Application(site, engine, Systems(engine, service.load_plugins(site)))
    engine.dispose()
