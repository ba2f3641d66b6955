"""Documents say what is there: their snippets run, their links lead somewhere, and the names they mention exist."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.snippets import COMPILED_ONLY, DOCUMENTS, OUTCOMES, PARSED_ONLY, Snippet, find_snippets
from tests.test_structure import FLOORS, IMPORTS, MODULES

ARCHITECTURE = PROJECT / "docs" / "architecture.md"
GLOSSARY = PROJECT / "docs" / "glossary.md"
CARDS = sorted((PROJECT / "centertrack" / "weights").glob("*.md"))
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
LINKED = [*DOCUMENTS, PROJECT / "CHANGELOG.md", *CARDS]
SECONDS = 600  # a guard against hangs on a busy machine; all snippets take about 20 on two idle cores
SNIPPETS = find_snippets()

ROOMS = "centertrack|tracker|tests|tools|configs|docs"
PATH = re.compile(rf"(?<![\w/.~-])(?:{ROOMS})/[\w./*-]*")
MODULE = re.compile(r"(?<![\w/.-])(?:centertrack|tracker)(?:\.[A-Za-z_]\w*)+")
FILE_SUFFIXES = ("py", "md", "yaml", "txt", "toml")  # `tracker.py` is a file, not a name in `tracker`


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong with each snippet, by its name; nothing, where it ran."""
    folder = tmp_path_factory.mktemp("snippets")
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "tests.snippets", str(folder)]
    with (folder / "said.txt").open("wb") as said:
        try:
            subprocess.run(command, cwd=PROJECT, env=environment, stdout=said, stderr=said, timeout=SECONDS, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            said.write(f"\n{error}".encode())
    lines = (folder / OUTCOMES).read_text(encoding="utf-8").splitlines() if (folder / OUTCOMES).exists() else []
    rest = (folder / "said.txt").read_text(encoding="utf-8", errors="replace")
    return {snippet.name: f"it was not reached, or did not end: {rest}" for snippet in SNIPPETS} | dict(
        json.loads(line) for line in lines
    )


@pytest.mark.skipif(sys.platform == "win32", reason="the shell snippets are read by bash")
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.name)
def test_a_snippet_runs(snippet: Snippet, outcomes: dict[str, str]) -> None:
    assert outcomes[snippet.name] == "", outcomes[snippet.name]


def test_what_is_parsed_only_occurs() -> None:
    code = " ".join(" ".join(snippet.code.split()) for snippet in SNIPPETS).replace('-c " ', "-c ")
    assert [beginning for beginning in PARSED_ONLY if beginning not in code] == []
    assert set(COMPILED_ONLY) <= {snippet.document for snippet in SNIPPETS if snippet.language == "python"}
    reasons = [*PARSED_ONLY.values(), *COMPILED_ONLY.values()]
    tests = {name for reason in reasons for name in re.findall(r"test_\w+\.py", reason)}
    assert [name for name in tests if not any((PROJECT / "tests").rglob(name))] == []


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("path", LINKED, ids=relative)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in links(path):
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_document_is_linked() -> None:
    reached = {(path.parent / link.partition("#")[0]).resolve() for path in LINKED for link in links(path)}
    assert [relative(path) for path in DOCUMENTS[1:] if path.resolve() not in reached] == []


def defined_in(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Return what classes, functions and assignments of a body define, by name."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update({target.id: node for target in targets if isinstance(target, ast.Name)})
    return found


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_defined(module: str, name: str) -> bool:
    """Whether a module defines `name`, which may be `Class.method`; doors and packages may import it."""
    tree = tree_of(module)
    first, *rest = name.split(".")
    known = defined_in(tree.body)
    if first not in known:
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = {one.asname or one.name for node in imports for one in node.names}
        return MODULES[module].name == "__init__.py" and first in imported
    node = known[first]
    return not rest or (isinstance(node, ast.ClassDef) and rest[0] in defined_in(node.body))


def mentioned(text: str) -> Iterator[tuple[str, bool]]:
    """Give each path and dotted name of ours in a text, and whether it exists."""
    text = re.sub(r"^```python\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)  # which is run
    for match in PATH.finditer(text):
        path = match[0].rstrip("./*-") + ("/*" if match[0].endswith("/*") else "")
        if not re.search(r"/[A-Z][A-Z_]+\b", f"{path}{text[match.end() : match.end() + 1]}"):  # tests/regressions/CASE
            yield match[0], any(PROJECT.glob(path))
    for match in MODULE.finditer(text):
        parts = match[0].split(".")
        if parts[-1] in FILE_SUFFIXES:
            continue
        depth = max((i for i in range(1, len(parts) + 1) if ".".join(parts[:i]) in MODULES), default=0)
        rest = ".".join(parts[depth:])
        yield match[0], not rest or is_defined(".".join(parts[:depth]), rest)


@pytest.mark.parametrize("path", [*DOCUMENTS, *CARDS, *CONFIGS], ids=relative)
def test_paths_and_modules_that_a_document_mentions_exist(path: Path) -> None:
    assert [name for name, exists in mentioned(path.read_text(encoding="utf-8")) if not exists] == []


def test_what_does_not_exist_is_found() -> None:
    text = "`tracker/no.py`, `centertrack.no.Name`, `tracker.base.Nothing`, `tracker.base.Tracker.no`, tracker/base.py."
    assert [name for name, exists in mentioned(text) if not exists] == [
        "tracker/no.py",
        "centertrack.no.Name",
        "tracker.base.Nothing",
        "tracker.base.Tracker.no",
    ]


def changed_places() -> list[tuple[str, str]]:
    """Return (old module, new modules) of the change log's table."""
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^ *\| (`centertrack[^|]*) \| ([^|]*) \|$", text, re.MULTILINE)


def test_the_change_log_says_where_modules_went() -> None:
    places = changed_places()
    assert len(places) > 20
    for old, new in places:
        assert [name for name in re.findall(r"`([\w./*]+)`", old) if any(PROJECT.glob(name))] == []
        assert [name for name in re.findall(r"`([\w./*]+)`", new) if not any(PROJECT.glob(name))] == []


def test_the_change_log_is_of_this_version() -> None:
    from centertrack import __version__

    assert f"## [{__version__}]" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Step:
    """A row of a walk: `caller` is the name of an earlier one or a file, `through` a protocol or a library."""

    name: str
    file: str
    caller: str
    through: str


def walks() -> dict[str, list[Step]]:
    """Return the steps of each walk of docs/architecture.md, by its heading."""
    chapter = ARCHITECTURE.read_text(encoding="utf-8").partition("## Three walks")[2]
    row = re.compile(r"^\| \d \| `([\w.]+)` \| `([\w./]+)` \| `([\w./]+)`(?: through `?(\w+)`?)? \|", re.MULTILINE)
    sections = [section.partition("\n") for section in chapter.split("\n### ")[1:]]
    return {heading: [Step(*cells) for cells in row.findall(rest)] for heading, _, rest in sections}


def module_at(path: str) -> str:
    return next(name for name, at in MODULES.items() if at == PROJECT / path)


def names_in(module: str) -> set[str]:
    """Return all names and attributes that occur in a module, and what it defines."""
    tree = tree_of(module)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return (
        names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(defined_in(tree.body))
    )


def imports(module: str, target: str) -> bool:
    """Whether a module imports another, or the package of the other that offers its names."""
    return any(one == target or (target in IMPORTS[one] and target.startswith(f"{one}.")) for one in IMPORTS[module])


def test_there_are_three_walks_of_at_most_six_names() -> None:
    numbered = re.findall(r"^\| \d \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(walks()) == 3
    assert sum(len(steps) for steps in walks().values()) == len(numbered)
    assert all(2 < len(steps) <= 6 for steps in walks().values())


@pytest.mark.parametrize("walk", walks())
def test_a_name_of_a_walk_is_in_its_file(walk: str) -> None:
    assert [step for step in walks()[walk] if not is_defined(module_at(step.file), step.name)] == []


@pytest.mark.parametrize("walk", walks())
def test_a_name_of_a_walk_is_called_by_one_before_it(walk: str) -> None:
    files: dict[str, str] = {}
    for step in walks()[walk]:
        assert step.caller in files or not files, step
        above, below = module_at(files.get(step.caller, step.caller)), module_at(step.file)
        parts = step.name.split(".")
        if step.through == "Lightning":  # which calls the methods of what it is given
            parts = parts[:1]
        if step.through in ("", "Lightning"):
            assert above == below or imports(above, below), step
            assert set(parts) <= names_in(above), step
        else:  # a protocol in the caller's module; the step has its method
            protocol = defined_in(tree_of(above).body)[step.through]
            assert isinstance(protocol, ast.ClassDef)
            assert "Protocol" in [base.id for base in protocol.bases if isinstance(base, ast.Name)], step
            assert parts[1] in set(defined_in(protocol.body)) & names_in(above), step
        files[step.name] = step.file


def test_the_picture_shows_every_floor() -> None:
    (source,) = re.findall(r"!\[.*\]\((images/\w+\.svg)\)", ARCHITECTURE.read_text(encoding="utf-8"))
    heights = {}
    for text in ElementTree.parse(ARCHITECTURE.parent / source).iter("{http://www.w3.org/2000/svg}text"):
        for place in (
            re.findall(r"\w+[\w/]*", (text.text or "").replace("/__init__", "")) if text.get("font-weight") else ()
        ):
            heights[place.rstrip("/").replace("/", ".")] = float(text.get("y", "nan"))
    floors = [{heights[room] for room in rooms if room != "centertrack.__main__"} for rooms in FLOORS]
    assert [len(floor) for floor in floors] == [1] * len(FLOORS)
    assert floors == sorted(floors, key=max, reverse=True)


def glossary() -> dict[str, str]:
    rows = re.findall(r"^\| ([a-z -]+) \| (.*) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows[1:])


def test_the_glossary_has_one_sentence_a_word_in_alphabetical_order() -> None:
    words = list(glossary())
    assert len(words) > 15
    assert words == sorted(words)
    assert [word for word, text in glossary().items() if not re.fullmatch(r"[A-Z][^.]*\.", text)] == []


@pytest.mark.parametrize("word", sorted(glossary()))
def test_the_code_uses_a_word_of_the_glossary(word: str) -> None:
    stem = re.sub(r"[ -]", "[ _-]", word.removesuffix("y"))
    used = re.compile(rf"(?<![a-z]){stem}(y|ies|s)?(?![a-z])", re.IGNORECASE)
    assert any(used.search(path.read_text(encoding="utf-8")) for path in MODULES.values())
