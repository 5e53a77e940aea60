"""Every shipped addon keeps what every addon has to keep."""

from __future__ import annotations

from core.conformance import AddonConformance
from core.settings import ROOT

BOTH = ("en", "zh_CN")


class TestBase(AddonConformance):
    addon, languages = ROOT / "addons/base", BOTH


class TestParty(AddonConformance):
    addon, languages = ROOT / "addons/party", BOTH


class TestProduct(AddonConformance):
    addon, languages = ROOT / "addons/product", BOTH


class TestTicket(AddonConformance):
    addon, languages = ROOT / "addons/ticket", BOTH


class TestOpportunity(AddonConformance):
    addon, languages = ROOT / "addons/opportunity", BOTH
