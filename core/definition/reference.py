"""The reference, from the schemas and the samples; `python -m core.definition.reference` rewrites its pages.

A page for each kind (docs/definitions/<kind>.md), one for the types of fields, one for the elements of forms, and
the index at the end of docs/definitions.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from core.definition.described import (
    Section,
    own_properties,
    properties,
    sections,
    sentence,
    texts,
    value_word,
    without,
)
from core.definition.kinds import BUILT_IN, Kind
from core.definition.kinds.form import TAGS
from core.definition.kinds.parameters import AskedSchema, ParameterSchema
from core.definition.kinds.steps import OnErrorSchema, StepSchema
from core.definition.kinds.verbs import BUILT_IN as VERBS
from core.definition.names import LONGEST
from core.definition.samples import Sample, SampleFile, sample
from core.definition.shapes import Shape, shape_of
from core.types.registry import registry

DOCS = Path(__file__).resolve().parents[2] / "docs"
INTRODUCTION = "definitions.md"
MARK = "<!-- All below is written by `python -m core.definition.reference`. -->"
WRITTEN = "<!-- Written by `python -m core.definition.reference` from the schemas and core/definition/samples. -->"
PLACES = {"agent": "agents", "workflow": "transitions", "scenario": "scenarios"}
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in BUILT_IN}
LANGUAGES = {".yaml": "yaml", ".xml": "xml", ".po": "po", ".html": "html", ".txt": "text"}
# What several kinds have in them has a page of its own.
SHARED: Mapping[type[BaseModel], str] = {ParameterSchema: "parameters", AskedSchema: "parameters", StepSchema: "steps",
                                         OnErrorSchema: "steps"}


def pages(docs: Path = DOCS) -> dict[Path, str]:
    """Every page of the reference as it should be."""
    found = {docs / "definitions" / f"{kind.name}.md": kind_page(kind) for kind in BUILT_IN}
    found[docs / "definitions" / "types.md"] = types_page()
    found[docs / "definitions" / "elements.md"] = elements_page()
    found[docs / "definitions" / "parameters.md"] = parameters_page()
    found[docs / "definitions" / "steps.md"] = steps_page()
    introduction = docs / INTRODUCTION
    found[introduction] = introduction.read_text(encoding="utf-8").partition(MARK)[0] + index()
    return found


def index() -> str:
    """The generated end of the introduction: all pages, a line each."""
    lines = [MARK, "", "## Reference", "", "| kind | what it is | files |", "|---|---|---|"]
    lines += [f"| [{kind.name}](definitions/{kind.name}.md) | {sentence(kind.schema)} | `{_files(kind)}` |"
              for kind in BUILT_IN]
    lines += ["", "What several kinds have in them: [types of fields](definitions/types.md), "
              "[parameters](definitions/parameters.md), [steps](definitions/steps.md) of agents, transitions and "
              "scenarios, [elements of forms](definitions/elements.md).",
              "", "Every page ends with a sample that runs as a test.", ""]
    return "\n".join(lines)


def kind_page(kind: Kind) -> str:
    """The page of one kind."""
    shown = sample(kind.name, KINDS)
    about, headings = _split(shown.about)
    return _joined([
        WRITTEN, "", f"# {kind.name}", "", sentence(kind.schema), *_paragraph(about),
        "## File and name", "", *_naming(kind, headings.pop("File and name", "")),
        "## Properties", "", *_properties(kind.schema),
        *(line for title, text in headings.items() if title != "What is checked"
          for line in (f"## {title}", "", text, "")),
        "## Layers", "", *_layers(kind),
        "## What is checked", "", headings.get("What is checked", ""), "",
        "## What is translated", "", *_translated(kind),
        *_sample(shown, kind.name)])


def _split(about: str) -> tuple[str, dict[str, str]]:
    """What is said of a kind before the first heading, and under each heading."""
    first, *parts = ("\n" + about).split("\n## ")
    return first.strip(), {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


def _paragraph(text: str) -> list[str]:
    return ["", text, ""] if text else [""]


def _joined(lines: Iterable[str]) -> str:
    """Lines as a page: no two empty ones in a row, one line end last."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip() + "\n"


def _files(kind: Kind) -> str:
    return f"{kind.folder}/*{kind.suffix}" if kind.folder else f"{kind.name}{kind.suffix}"


def _naming(kind: Kind, more: str) -> Iterator[str]:
    if kind.suffix == ".po":
        yield f"In `{kind.folder}/<language>{kind.suffix}` of a layer; its name is the name of the file."
    elif not kind.folder:
        yield f"In the file `{kind.name}{kind.suffix}`; it begins with `{kind.name}: NAME`."
    else:
        begins = f"`{kind.name}: NAME`" if kind.suffix == ".yaml" else f'`<{kind.name} name="NAME" ...>`'
        yield (f"One file each, in `{_files(kind)}` by convention (any folder of a layer will do). It begins with "
               f"{begins}. A name is `a-z`, `0-9` and `_`, begins with a letter, has at most {LONGEST} characters and "
               f"stands once among all of the kind.")
    if kind.reserved:
        yield f"Not to be used, because they are addresses of core: {', '.join(sorted(kind.reserved))}."
    yield from ("", more, "")


def _properties(model: type[BaseModel], level: str = "###") -> Iterator[str]:
    for section in sections(model, SHARED):
        yield from _section(section, level)


def _section(section: Section, level: str = "###") -> Iterator[str]:
    if section.path:
        yield from (f"{level} `{section.path}`", "")
    if section.elsewhere:
        page = SHARED[section.model]
        yield from (f"{sentence(section.model)} See [{page}]({page}.md).", "")
        return
    if section.same_as is not None:
        yield from (f"The same as {f'`{section.same_as}`' if section.same_as else 'the whole'}, above.", "")
        return
    if section.path:
        yield from (sentence(section.model), "")
    base = None if section.model in SHARED else next((one for one in SHARED if issubclass(section.model, one)), None)
    if base is not None:
        yield from (f"Beside what every one has ([{SHARED[base]}]({SHARED[base]}.md)):", "")
    yield from ("| property | value | without it | meaning |", "|---|---|---|---|")
    for key, info in properties(section.model) if base is None else own_properties(section.model, base):
        yield f"| `{key}` | {value_word(info)} | {without(info)} | {info.description} |".replace("|  |", "| |")
    yield ""


def _layers(kind: Kind) -> Iterator[str]:
    if not kind.folder:
        yield from ("It stands once, and no other layer changes it.", "")
        return
    if kind.shared:
        yield from ("Every layer adds its own without `change`; where two say the same, the highest has the last word.",
                    "")
        return
    if kind.suffix == ".xml":
        yield from (f'A higher layer changes it by `<{kind.name} change="NAME">`, which holds operations: `after`, '
                    "`before` and `into` add what stands inside them, `set` sets attributes, `move` moves (with "
                    "`after`, `before` or `into`), `remove` removes. Each has `ref`, the node it aims at, and must hit "
                    "exactly one; they are carried out in their order.", "")
        return
    collections, lists = _changeable(kind.schema)
    yield from (f"A higher layer changes it by `change: {kind.name} NAME`, followed by only what differs:", "")
    if collections:
        yield (f"- {_listed(collections)}: members merge by name. A new name adds a member, `after: name`, "
               "`before: name`, `first: true` or `last: true` in it says where, and `name: null` removes it.")
    if lists:
        yield f"- {_listed(lists)}: a list replaces the list; `{{add: [...], remove: [...]}}` edits it."
    yield from ("- Anything else is replaced by what the change says; `null` unsets it.", "")


def _changeable(model: type[BaseModel]) -> tuple[list[str], list[str]]:
    """The collections and the lists of a definition, by path."""
    collections, lists = [], []
    for section in sections(model, SHARED):
        if section.same_as is not None or section.elsewhere:
            continue
        shape = shape_of(section.model)
        for key in shape.known:
            path = f"{section.path}.{key}" if section.path else key
            member: Shape = shape.member(key)
            if member.collection:
                collections.append(path)
            elif member.list:
                lists.append(path)
    return collections, lists


def _listed(paths: Iterable[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _translated(kind: Kind) -> Iterator[str]:
    paths = [f"{kind.name} NAME.{path}" for path in texts(kind.schema)]
    if kind.suffix == ".xml":
        paths.append(f"{kind.name} NAME.REF.title")
    if not paths or kind.suffix == ".po":
        yield from ("Nothing.", "")
        return
    yield from ("These texts, by path (the `msgctxt` of a PO file):", "", *(f"- `{path}`" for path in paths), "")


def _sample(shown: Sample, kind: str | None) -> Iterator[str]:
    """The sample: first the files that the page is about, then those that they stand on."""
    yield from ("## Sample", "", "A complete set of files over the addon `base`; a test loads it.", "")
    first = [one for one in shown.files if kind is None or one in shown.of(kind)]
    rest = [one for one in shown.files if one not in first]
    for one in first:
        yield from _file(one)
    if rest:
        yield from ("With these beside it:", "")
    for one in rest:
        yield from _file(one)


def _file(one: SampleFile) -> Iterator[str]:
    yield from (f"`{one.path}`", "", f"```{LANGUAGES[Path(one.path).suffix]}", one.text.rstrip(), "```", "")


def types_page() -> str:
    """The page of the types of fields."""
    shown = sample("types", KINDS)
    about, headings = _split(shown.about)
    lines = [WRITTEN, "", "# Types of fields", "", about, ""]
    for name, kind in registry().items():
        lines += [f"## {name}", "", sentence(type(kind)), "", headings.get(name, ""), ""]
        if kind.properties.model_fields:
            lines += _section(Section("", kind.properties))
    return _joined([*lines, *_sample(shown, None)])


def parameters_page() -> str:
    """The page of parameters, and of what agents ask."""
    shown = sample("parameters", KINDS)
    about, headings = _split(shown.about)
    return _joined([
        WRITTEN, "", "# Parameters", "", about, "", "## Properties", "", *_properties(AskedSchema),
        *(line for title, text in headings.items() for line in (f"## {title}", "", text, "")), *_sample(shown, None)])


def steps_page() -> str:
    """The page of steps and their verbs."""
    shown = sample("steps", KINDS)
    about, headings = _split(shown.about)
    lines = [WRITTEN, "", "# Steps", "", about, "", "## Every step", "", sentence(StepSchema), ""]
    for section in sections(StepSchema):
        lines += _section(section)
    for title, text in headings.items():
        lines += [f"## {title}", "", text, ""]
    for verb in VERBS:
        places = [word for word in PLACES if word in verb.places]
        lines += [f"## {verb.name}", "", sentence(type(verb)), "",
                  "" if len(places) == len(PLACES) else f"In {' and '.join(PLACES[word] for word in places)} only.", ""]
        if verb.schema.model_fields:
            lines += _properties(verb.schema)
    return _joined([*lines, *_sample(shown, None)])


def elements_page() -> str:
    """The page of the elements of forms."""
    shown = sample("elements", KINDS)
    lines = [WRITTEN, "", "# Elements of forms", "", shown.about, ""]
    for name, tag in TAGS.items():
        holds = ", ".join(f"[`<{child}>`](#{child})" for child in tag.children)
        lines += [f"## {name}", "", tag.help + (f" It holds {holds}." if holds else ""), ""]
        if tag.attributes:
            lines += ["| attribute | without it | meaning |", "|---|---|---|"]
            lines += [f"| `{key}` | {'must be there' if key in tag.needs else ''} | {text[:1].upper()}{text[1:]}. |"
                      .replace("|  |", "| |") for key, text in tag.attributes.items()]
            lines.append("")
    return _joined([*lines, *_sample(shown, None)])


def main() -> None:
    """Write every page."""
    for path, page in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
