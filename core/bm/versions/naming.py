"""The kinds of things a version is made of: their order, what their parts are, and what a plan calls them."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import N_

# The order in which changes are listed: what others stand on first.
KINDS = ("addon", "system", "choices", "sequence", "setting", "table", "role", "restrict", "function", "query", "data",
         "migration", "form", "list", "object", "report", "chart", "dashboard", "menu", "template", "workflow", "agent",
         "scenario", "translation")
# Collections whose members are changes of their own; the word is what a plan calls a member.
MEMBERS = {
    "table": {"fields": "field", "rules": "rule", "unique": "unique", "indexes": "index", "roles": "record role"},
    "choices": {"values": "choice"},
    "workflow": {"states": "state", "transitions": "transition", "worklist": "worklist line"},
    "agent": {"do": "step"},
}
# What a part is a part of: a field of a table; a change of their order is called by the plural.
HOLDERS: Mapping[str, str] = {name: holder for holder, parts in MEMBERS.items() for word in parts.values()
                              for name in (word, f"{word}s")}
MERGING = ("choice", "state")             # values of which several may become one
# What people call them; kinds that addons bring are called by their name.
CALLED: Mapping[str, str] = {
    "addon": N_("addon"), "system": N_("system"), "table": N_("table"), "field": N_("field"), "choices": N_("choices"),
    "choice": N_("choice"), "object": N_("object"), "list": N_("list"), "form": N_("form"), "role": N_("role"),
    "restrict": N_("restriction"),
    "record role": N_("record role"), "rule": N_("rule"), "unique": N_("unique"), "index": N_("index"),
    "data": N_("data"), "menu": N_("menu"), "translation": N_("translation"), "function": N_("function"),
    "setting": N_("setting"), "sequence": N_("sequence"), "template": N_("template"), "report": N_("report"),
    "chart": N_("chart"), "query": N_("query"), "dashboard": N_("dashboard"),
    "workflow": N_("workflow"), "agent": N_("agent"), "scenario": N_("scenario"), "state": N_("state"),
    "transition": N_("transition"), "worklist line": N_("worklist line"), "step": N_("step"),
}
