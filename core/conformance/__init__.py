"""What every addon has to keep, as checks: for an author's tests (`AddonConformance`) and for `check --deep`."""

from core.conformance.addon import AddonConformance
from core.conformance.checks import CHECKS, Check
from core.conformance.subject import Subject

__all__ = ["CHECKS", "AddonConformance", "Check", "Subject"]
