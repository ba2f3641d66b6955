"""The site of the documents: everything public has its entry, every link leads somewhere, and docstrings are whole."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import build_docs as tool
import pytest

from tests.conftest import PROJECT

pytest.importorskip("pdoc", reason='the site is made by pdoc: pip install -e ".[docs]"')
DOORS = ("centertrack", "centertrack.models", "tracker")


class Links(HTMLParser):
    """The anchors of a page, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.leads: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if name in ("href", "src") and value and not urlsplit(value).scheme:
                self.leads.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(PROJECT / "tools" / "build_docs.py"), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # pdoc warns of names that do not resolve
    assert done.stdout.endswith(f"{folder / 'index.html'}\n")
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    return {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def broken(pages: dict[Path, Links]) -> list[str]:
    found = []
    for path, page in pages.items():
        for lead in page.leads:
            place, _, anchor = unquote(lead).partition("#")
            target = Path(os.path.normpath(path.parent / place)) if place else path
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors):
                found.append(f"{path.name}: {lead}")
    return found


def test_every_link_of_the_site_leads_somewhere(pages: dict[Path, Links]) -> None:
    assert len(pages) > 40
    assert sum(len(page.leads) for page in pages.values()) > 1000
    assert broken(pages) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="top"><a href="#top"><a href="#no"><a href="b.html"><a href="a.html#c">')
    page = {tmp_path / "a.html": Links((tmp_path / "a.html").read_text())}
    assert sorted(broken(page)) == ["a.html: #no", "a.html: a.html#c", "a.html: b.html"]


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_has_an_entry(door: str, site: Path, pages: dict[Path, Links]) -> None:
    page = pages[site / "api" / Path(*door.split(".")).with_suffix(".html")]
    names = set(import_module(door).__all__) - {"__version__"}
    assert len(names) > 5
    assert names - page.anchors == set()


def test_every_document_and_module_is_reached_from_the_first_page(site: Path, pages: dict[Path, Links]) -> None:
    reached, new = set(), {site / "index.html"}
    while new:
        reached |= new
        leads = {(path, lead.partition("#")[0]) for path in new for lead in pages[path].leads}
        new = {Path(os.path.normpath(path.parent / lead)) for path, lead in leads if lead} & pages.keys() - reached
    assert pages.keys() - reached == set()
    sources = {site / tool.target_of(path.relative_to(PROJECT)) for path in (PROJECT / "docs").glob("*.md")}
    assert sources - reached == set()


def test_no_section_of_a_docstring_is_left_as_text(site: Path) -> None:
    left = re.compile(r"<p>(Args|Attributes|Returns|Raises):|<p>&gt;&gt;&gt;|<li>[^<]*\*\*|```")
    pages = {path.name: left.findall(path.read_text(encoding="utf-8")) for path in (site / "api").rglob("*.html")}
    assert {name: found for name, found in pages.items() if found} == {}


def test_the_examples_of_the_tool() -> None:
    assert doctest.testmod(tool) == (0, 2)


def test_documents_link_what_they_name(site: Path) -> None:
    text = (site / "docs" / "quickstart.html").read_text(encoding="utf-8")
    assert '<a href="../api/centertrack.html#Predictor"><code>Predictor</code></a>' in text
    assert 'href="../centertrack/weights/fairmot-nano.html"' in (site / "docs" / "weights.html").read_text("utf-8")
