"""The kinds of definitions: each one class, registered here or through the hook `kinds`."""

from __future__ import annotations

from core.definition.kinds.addon import AddonKind
from core.definition.kinds.agent import AgentKind
from core.definition.kinds.base import Kind
from core.definition.kinds.chart import ChartKind
from core.definition.kinds.choices import ChoicesKind
from core.definition.kinds.dashboard import DashboardKind
from core.definition.kinds.data import DataKind
from core.definition.kinds.form import FormKind
from core.definition.kinds.function import FunctionKind
from core.definition.kinds.list import ListKind
from core.definition.kinds.menu import MenuKind
from core.definition.kinds.migration import MigrationKind
from core.definition.kinds.object import ObjectKind
from core.definition.kinds.query import QueryKind
from core.definition.kinds.report import ReportKind
from core.definition.kinds.restrict import RestrictKind
from core.definition.kinds.role import RoleKind
from core.definition.kinds.scenario import ScenarioKind
from core.definition.kinds.sequence import SequenceKind
from core.definition.kinds.setting import SettingKind
from core.definition.kinds.system import SystemKind
from core.definition.kinds.table import Mixin, TableKind
from core.definition.kinds.template import TemplateKind
from core.definition.kinds.translation import TranslationKind
from core.definition.kinds.workflow import WorkflowKind

# The order in which they are built: what others name comes first.
BUILT_IN: tuple[Kind, ...] = (
    SystemKind(), AddonKind(), ChoicesKind(), SequenceKind(), SettingKind(), Mixin(), TableKind(), RoleKind(),
    RestrictKind(), FunctionKind(), QueryKind(), ListKind(), FormKind(), MenuKind(),
    ObjectKind(), ReportKind(), ChartKind(), DashboardKind(), DataKind(), MigrationKind(), TemplateKind(),
    WorkflowKind(), AgentKind(), ScenarioKind(), TranslationKind())

__all__ = ["BUILT_IN", "Kind"]
