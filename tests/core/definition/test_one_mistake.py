"""One mistake is told once, where it is: what only follows from it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.definition.sets import load_set

SET = {
    "addons/shop/tables/user.yaml": "table: user\npeople: id\nfields: {name: {type: text}}\n",
    "addons/shop/tables/owned.yaml": "mixin: owned\nfields: {owner: {type: link, to: user}}\nroles: {owner: {is: owner}}\n",
    "addons/shop/tables/client.yaml": """\
table: client
fields:
  city:   {type: text}
  visits: {type: lines, of: visit, by: client}
  cost:   {type: decimal, formula: sum(visits.cost)}
""",
    "addons/shop/tables/visit.yaml": """\
table: visit
uses: [owned]
fields:
  name:   {type: text}
  state:  {type: state}
  client: {type: link, to: client}
  cost:   {type: decimal}
  report: {type: memo}
""",
    "addons/shop/workflows/visit.yaml": """\
workflow: visit
of: visit
states: {planned: {phase: waiting}, made: {phase: done}}
transitions:
  make: {from: planned, to: made, who: [owner], ask: {report: {like: visit.report}}}
""",
    "addons/shop/functions/worth.yaml":
        "function: worth\nparameters: {client: {type: link, to: client}}\nreturns: decimal\n"
        "is: sum(parameter.client.visits.cost)\n",
    "addons/shop/queries/visited.yaml": "query: visited\nof: client\nwhere: {big: cost > 1}\n",
    "addons/shop/queries/visits_of.yaml": """\
query: visits_of
of: visit
parameters: {city: {like: client.city}}
where: {city: client.city == parameter.city}
""",
    "addons/shop/lists/visit.yaml":
        "list: visit\nof: visit\ncolumns: {name: {}, owner: {}}\nfilters: {open: {where: phase == 'waiting'}}\n",
    "addons/shop/objects/visits.yaml": "object: visits\nof: visits_of\nlists: [visit]\n",
    "addons/shop/roles/clerk.yaml":
        "role: clerk\ngrants:\n  visit: {read: [owner], where: client in query.visited()}\n",
    "addons/shop/templates/letter.html":
        "---\ntemplate: letter\nof: visit\nsubject: Visit\n---\n<p>{{ client.city }} {{ worth(client) }}</p>\n",
    "addons/shop/dashboards/visits.yaml":
        "dashboard: visits\ntiles: {mine: {list: visit, where: owner == user}, sum: {kpi: {of: visit, value: count()}}}\n",
    "addons/shop/scenarios/visit.yaml": """\
scenario: visit
users: {sue: {roles: [clerk]}}
given:
  acme:  {of: client, with: {city: Ulm}}
  visit: {of: visit, with: {client: =acme, owner: =sue}}
do: {make: {as: sue, fire: make, record: visit, with: {report: Fine}}}
expect: {made: visit.phase == 'done'}
"""}


def test_the_set_is_right(tmp_path: Path) -> None:
    assert load_set(tmp_path, SET).problems == ()


@pytest.mark.parametrize(("file", "right", "wrong", "said"), [
    ("tables/visit.yaml", "type: memo", "type: meno", '8:12: there is no type "meno" (did you mean "memo"?)'),
    ("tables/visit.yaml", "to: client", "to: cient", '6:24: there is no table "cient" (did you mean "client"?)'),
    ("tables/visit.yaml", "uses: [owned]", "uses: owned", "2:1: a list is expected here, such as [a, b]"),
    ("tables/visit.yaml", "  cost:", "\tcost:", "7:1: this line is indented with a tab: use spaces"),
    ("tables/visit.yaml", "table: visit", "table: Visit", '1:1: "Visit" cannot be a name: names are a-z, 0-9 and _, '
     'and begin with a letter: write "visit"'),
    ("workflows/visit.yaml", "to: made, who", "to: made, planned, who", '5:29: this value is cut at a comma; put it in '
     'quotes: to: "made, planned"'),
    ("workflows/visit.yaml", "like: visit.report", "like: visit.reprt",
     '5:64: field "reprt" is not on table "visit" (did you mean "report"?)'),
    ("queries/visits_of.yaml", "like: client.city", "like: client.cty",
     '3:21: field "cty" is not on table "client" (did you mean "city"?)')])
def test_a_mistake_is_told_once(file: str, right: str, wrong: str, said: str, tmp_path: Path) -> None:
    path = f"addons/shop/{file}"
    assert right in SET[path]
    loaded = load_set(tmp_path, SET | {path: SET[path].replace(right, wrong)})
    assert [str(problem) for problem in loaded.problems] == [f"{path}:{said}"]
