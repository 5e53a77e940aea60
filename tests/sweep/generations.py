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
  extra_{now}: {{type: integer}}
  code_{now}: {{type: text, max: 40}}
  guide_{now}: {{type: link, to: user, on_delete: clear}}
unique:
  code_{now}: {{fields: [code_{now}]}}
indexes:
  extra_{now}: {{fields: [extra_{now}]}}
""",
    "data/visits.yaml": """\
data: visits_{now}
of: visit_{now}
key: name
records:
  First visit: {{mood: fine}}
  Second visit: {{mood: sad_{now}}}
""",
}


def write(metadata: Path, now: int) -> None:
    """Make the site's layer that of a generation: a table, choices, data and fields come, others go, one is renamed."""
    was = f", was: kept_{now - 1}" if now else ""
    for name, text in FILES.items():
        path = metadata / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(now=now, was=was), encoding="utf-8")
