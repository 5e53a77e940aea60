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
    # Of one list of choices a value gets another name.
    "choices/weather.yaml": """\
choices: weather
values:
  sun: {{title: Sun}}
  {rain}: {{title: Rain, was: {other_rain}}}
""",
    # What each system has for itself: the promotion is told it.
    "settings/address.yaml": """\
setting: address_{now}
type: text
required: true
environment: true
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
    # A table that gets a base and loses it.
    "tables/ground.yaml": """\
table: ground
title: Ground
plural: Grounds
display: "{{name}}"
keeps: [history]
fields:
  name: {{type: text, required: true, max: 200}}
  wide: {{type: integer}}
""",
    "tables/place.yaml": """\
table: place
title: Place
plural: Places
{base}display: "{{name}}"
keeps: [history]
fields:
  {name}high: {{type: integer}}
  company: {{type: link, to: company, on_delete: clear}}
""",
    "tables/company.yaml": """\
change: table company
fields:
  kept_{now}: {{type: text{was}}}
  extra_{now}: {{type: integer, fresh: true}}
  code_{now}: {{type: text, max: 40, fresh: true}}
  guide_{now}: {{type: link, to: company, on_delete: clear, fresh: true}}
  must_{now}:  {{type: text, required: true, default: new, fresh: true, fill: "= concat(name, ' {now}')"}}
  turning:     {{type: {turning}, default: {default}}}
  weather:     {{type: choice, of: weather}}
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
KINDS = ("stage", "set", "expand", "fill", "index", "suspend", "prepare", "loosen", "flip", "acknowledge", "settle",
         "seed", "compute", "validate", "tighten", "park")
FILLS = ("convert", "expression", "rows")       # and every way in which columns and tables are filled


def write(metadata: Path, now: int) -> None:
    """Make the site's layer that of a generation.

    A table comes or goes; choices, data and fields come, others go, one is renamed; one gets another type, one is
    required and filled, a stored formula says something else; what was unique and required is no more; a choice gets
    another name, a table a base or none; a setting asks for its value.
    """
    odd = bool(now % 2)
    words = {
        "now": now, "was": ", was: [" + ", ".join(f"kept_{one}" for one in reversed(range(now))) + "]" if now else "",
        "turning": "text" if odd else "integer", "default": '"5"' if odd else "5",
        "rain": "rain" if odd else "wet", "other_rain": "wet" if odd else "rain",
        "base": "base: ground\n" if odd else "", "name": "" if odd else "name: {type: text, required: true, max: 200}\n  "}
    for name, text in FILES.items():
        path = metadata / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(**words), encoding="utf-8")
    if odd:                                 # two tables in a row could be one that is renamed, which would be asked
        (metadata / "tables/visit.yaml").unlink()


def answers(now: int) -> dict[str, str]:
    """What a promotion to a generation has to be told."""
    return {f"setting address_{now}": "here"}


def told(now: int) -> list[str]:
    """The same for the command line."""
    return [word for key, value in answers(now).items() for word in ("--answer", f"{key}={value}")]
