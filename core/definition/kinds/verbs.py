"""The built-in verbs of steps; addons add theirs through the hook `verbs`."""

from __future__ import annotations

from core.definition.kinds.steps import Verb
from core.definition.kinds.verbs_flow import FLOW_VERBS
from core.definition.kinds.verbs_people import PEOPLE_VERBS
from core.definition.kinds.verbs_records import RECORD_VERBS
from core.definition.kinds.verbs_scenario import SCENARIO_VERBS

BUILT_IN: tuple[Verb, ...] = (*RECORD_VERBS, *FLOW_VERBS, *PEOPLE_VERBS, *SCENARIO_VERBS)
VERBS = {verb.name: verb for verb in BUILT_IN}
