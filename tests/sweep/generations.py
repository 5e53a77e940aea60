"""A site layer that changes from generation to generation, each time by everything that a promotion can do."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "choices/mood.yaml": """\
choices: mood_{now}
values:
  fine: {{title: Fine}}
  sad_{now}: {{title: Sad}}
""",
    "tables/visit.yaml": """\
table: visit_{now}
title: Visit {now}
plural: Visits {now}
display: "{{name}}"
keeps: [history]
fields:
  name: {{type: text, required: true, search: contains}}
  company: {{type: link, to: company, on_delete: clear}}
  mood: {{type: choice, of: mood_{now}}}
  seen: {{type: date}}
unique:
  name: {{fields: [name]}}
indexes:
  seen: {{fields: [seen, name]}}
""",
    "tables/company.yaml": """\
change: table company
fields:
  kept_{now}: {{type: text{was}}}
  extra_{now}: {{type: integer, fresh: true}}
  code_{now}: {{type: text, max: 40, fresh: true}}
  guide_{now}: {{type: link, to: user, on_delete: clear, fresh: true}}
  must_{now}:  {{type: text, required: true, default: new, fresh: true, fill: "= concat(name, ' {now}')"}}
  turning:     {{type: {turning}, default: {default}}}
  score:       {{type: integer, stored: true, formula: "employees + {now}"}}
unique:
  code_{now}: {{fields: [code_{now}]}}
indexes:
  extra_{now}: {{fields: [extra_{now}]}}
""",
    "data/firms.yaml": """\
data: firms_{now}
of: company
key: name
records:
  First firm of {now}: {{employees: 3}}
  Second firm of {now}: {{employees: 4}}
""",
}


# The steps that each generation after the first has: every kind that a change of definitions can bring.
KINDS = ("stage", "expand", "fill", "index", "suspend", "prepare", "loosen", "flip", "acknowledge", "settle", "seed",
         "compute", "validate", "tighten", "park")


def write(metadata: Path, now: int) -> None:
    """Make the site's layer that of a generation.

    A table comes or goes; choices, data and fields come, others go, one is renamed; one gets another type, one is required and filled,
    a stored formula says something else; what was unique and required is no more.
    """
    was = f", was: kept_{now - 1}" if now else ""
    turning, default = ("text", '"5"') if now % 2 else ("integer", "5")
    for name, text in FILES.items():
        path = metadata / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(now=now, was=was, turning=turning, default=default), encoding="utf-8")
    if now % 2:                                 # two tables in a row could be one that is renamed, which would be asked
        (metadata / "tables/visit.yaml").unlink()
