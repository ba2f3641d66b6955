"""Make the site of the documents: the reference from the docstrings, and every page of docs/ beside it.

    python tools/build_docs.py              # writes site/index.html, which opens offline
    python tools/build_docs.py FOLDER

The site has the layout of the repository, with `.html` in the place of `.md`, so that links mean the same in both. The
reference is in `api/`: the modules of `MODULES`, what they offer and nothing private. pdoc reads and renders it.
"""

from __future__ import annotations

import argparse
import ast
import html
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import Signature, cleandoc, formatannotation, isclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tracker.errors import InputError
from tracker.extras import named_extra
from tracker.wording import counted

if TYPE_CHECKING:
    from pdoc.doc import Doc, Module

PROJECT = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).resolve().parent / "templates"
API = "api"
MODULES = {  # heading -> the modules that users import from
    "The two packages": ("centertrack", "tracker"),
    "Videos to detections and tracks": (
        "centertrack.app.pipeline",
        "centertrack.app.sinks",
        "centertrack.geometry",
        "centertrack.runtime.choose",
        "centertrack.runtime.contract",
        "centertrack.runtime.detectors.options",
        "centertrack.runtime.export",
        "centertrack.runtime.pixels",
        "centertrack.runtime.weights",
    ),
    "Networks and their training": (
        "centertrack.models",
        "centertrack.data.datamodule",
        "centertrack.training.optimization",
        "centertrack.synthetic",
    ),
    "What is done with tracks": (
        "tracker.associate",
        "tracker.boxes",
        "tracker.counting",
        "tracker.draw",
        "tracker.errors",
        "tracker.postprocess",
        "tracker.search_space",
        "tracker.testing",
    ),
    "Files": (
        "tracker.io.detected",
        "tracker.io.frame",
        "tracker.io.image_files",
        "tracker.io.images",
        "tracker.io.live",
        "tracker.io.mot",
        "tracker.io.track_writers",
        "tracker.io.video",
        "tracker.io.writer",
    ),
    "Evaluation": (
        "tracker.evaluation",
        "tracker.evaluation.events",
        "tracker.evaluation.format_check",
        "tracker.evaluation.intervals",
        "tracker.evaluation.result",
        "tracker.evaluation.submission",
        "tracker.report",
    ),
}
DOORS = ("centertrack", "centertrack.models", "tracker", "tracker.evaluation", "tracker.report")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
SHORT = (  # annotations as Python writes them -> as a reader does
    (re.compile(r"numpy\.ndarray\[tuple\[(?:typing\.)?Any, \.\.\.\], numpy\.dtype\[typing\.Any\]\]"), "NDArray"),
    (re.compile(r"numpy\.ndarray\[tuple\[(?:typing\.)?Any, \.\.\.\], numpy\.dtype\[numpy\.(\w+)\]\]"), r"NDArray[\1]"),
    (re.compile(r"numpy\._typing\._array_like\._Buffer.*?_NestedSequence\[complex \| bytes \| str\]"), "ArrayLike"),
    (re.compile(r"\b(?:typing|collections\.abc|pathlib)\."), ""),
)
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)(#[^)\s]*)?\)")


@dataclass(frozen=True)
class Page:
    """A document as it goes into the site.

    Attributes:
        source: The Markdown file, relative to the project.
        title: Its first heading.
        headings: Level, anchor and text of the others.
        body: HTML.
        files: What it shows or links to that is no document, relative to the project.
    """

    source: Path
    title: str
    headings: list[tuple[int, str, str]]
    body: str
    files: list[Path]

    @property
    def target(self) -> Path:
        """The file in the site, relative to it."""
        return target_of(self.source)


def main(arguments: list[str] | None = None) -> int:
    """Make the site; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the site of the documents.")
    parser.add_argument("output", nargs="?", type=Path, default=PROJECT / "site", metavar="FOLDER")
    output = parser.parse_args(arguments).output
    try:
        with warnings.catch_warnings():
            # pdoc cannot evaluate those of named tuples, nor aliases that are text, and shows them as they are written
            warnings.filterwarnings("ignore", r"Error parsing type annotation (ForwardRef|Maps)")
            count = build_site(output)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{counted(count, 'page')}: {output / 'index.html'}")
    return 0


def build_site(output: Path) -> int:
    """Write the site.

    Args:
        output: Its folder; files of an earlier site are replaced.

    Returns:
        The number of pages.
    """
    with named_extra("making the documents"):
        from pdoc import render
    render.configure(docformat="google", include_undocumented=False, template_directory=TEMPLATES)
    render.env.filters |= {"readable": readable, "readable_signature": readable_signature}
    modules = load_modules()
    render.env.globals |= {"groups": MODULES, "summaries": {name: summary(one) for name, one in modules.items()}}
    pages = [read_page(path) for path in documents()]
    places = places_of(modules)
    written: dict[Path, str] = {}
    for module in modules.values():
        place = Path(API, *module.modulename.split(".")).with_suffix(".html")
        written[place] = link_documents(render.html_module(module, modules), place)
    written[Path(API, "index.html")] = render.html_index(modules)
    template = render.env.get_template("page.html.jinja2")
    for page in pages:
        root = "../" * (len(page.target.parts) - 1)
        written[page.target] = template.render(
            page=page, body=link_names(page.body, places, root), root=root, pages=pages
        )
    for place, text in {**written, Path(API, "search.js"): render.search_index(modules)}.items():
        (output / place).parent.mkdir(parents=True, exist_ok=True)
        (output / place).write_text(text, encoding="utf-8")
    for file in {file for page in pages for file in page.files}:
        (output / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / file, output / file)
    return len(written)


def load_modules() -> dict[str, Module]:
    """Import what is documented; a door then holds what it otherwise imports when asked for."""
    from pdoc.doc import Module

    modules = {}
    for name in (name for names in MODULES.values() for name in names):
        module = import_module(name)
        if name in DOORS:
            vars(module).update({offered: getattr(module, offered) for offered in module.__all__})
        modules[name] = Module(module)
    for door in DOORS:
        tell_homes(modules[door])
    for module in modules.values():
        tell_constructors(module)
    return modules


def tell_homes(door: Module) -> None:
    """Let each tracker tell what its own module says about the algorithm, and each constant what it is."""
    from tracker.base import Tracker

    for member in door.members.values():
        if isclass(member.obj) and issubclass(member.obj, Tracker) and member.obj is not Tracker:
            home = sys.modules[member.obj.__module__]
            member.docstring = f"{cleandoc(home.__doc__ or '')}\n\n{member.docstring}"
        elif member.kind == "variable":
            member.docstring = constant_docstring(door.obj, member.name)


def constant_docstring(door: ModuleType, name: str) -> str:
    """Return the docstring below a constant, in the module that a door takes it from."""
    from pdoc.doc import Module

    tree = ast.parse(Path(door.__file__ or "").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    homes = [str(node.module) for node in imports if name in [one.name for one in node.names]]
    found = [Module(import_module(home)).get(name) for home in homes]
    return next((constant.docstring for constant in found if constant is not None), "")


def tell_constructors(module: Module) -> None:
    """Let constructors say nothing for themselves, since the class does, and those of protocols not exist."""
    for member in module.members.values():
        constructor = member.members.get("__init__") if member.kind == "class" else None
        if constructor is not None:
            constructor.docstring = "@private" if getattr(member.obj, "_is_protocol", False) else ""


def readable(annotation: str) -> str:
    """Return an annotation as it stands in the code.

    >>> readable("numpy.ndarray[tuple[typing.Any, ...], numpy.dtype[numpy.uint8]] | None")
    'NDArray[uint8] | None'
    """
    for long, short in SHORT:
        annotation = long.sub(short, annotation)
    return annotation


def readable_signature(signature: Signature) -> Signature:
    """Return a signature with readable annotations."""
    parameters = [one.replace(annotation=_Text.of(one.annotation)) for one in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=_Text.of(signature.return_annotation))


class _Text:
    """An annotation that is shown as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, annotation: Any) -> Any:
        return annotation if annotation is Signature.empty else cls(readable(formatannotation(annotation)))

    def __repr__(self) -> str:
        return self._text


def summary(module: Module) -> str:
    """Return the first paragraph of a module's docstring as one line."""
    return " ".join(module.docstring.partition("\n\n")[0].split())


def documents() -> list[Path]:
    """Return the Markdown files of the site, relative to the project, in the order in which the README links them."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    patterns = ("README.md", "docs/*.md", "centertrack/weights/*.md", "CONTRIBUTING.md", "CHANGELOG.md")
    paths = [path.relative_to(PROJECT) for pattern in patterns for path in sorted(PROJECT.glob(pattern))]
    places = [f"README.md {readme}".find(path.as_posix()) for path in paths]
    return [
        path
        for _, path in sorted(
            (place if place >= 0 else sys.maxsize, path) for place, path in zip(places, paths, strict=True)
        )
    ]


def target_of(source: Path) -> Path:
    """Return where a file of the project lies in the site.

    >>> [target_of(Path(name)).as_posix() for name in ("README.md", "docs/models.md", "LICENSE")]
    ['index.html', 'docs/models.html', 'LICENSE']
    """
    if source == Path("README.md"):
        return Path("index.html")
    return source.with_suffix(".html") if source.suffix == ".md" else source


def read_page(source: Path) -> Page:
    """Render a document, with links to the other pages of the site, and with the anchors that GitHub gives."""
    from pdoc.render_helpers import to_html

    text = (PROJECT / source).read_text(encoding="utf-8")
    files: list[Path] = []

    def lead(match: re.Match[str]) -> str:
        if "://" in match[2]:
            return match[0]
        meant = Path(os.path.normpath(source.parent / match[2]))
        if meant.suffix != ".md":
            files.append(meant)
        place = Path(os.path.relpath(target_of(meant), target_of(source).parent)).as_posix()
        return f"{match[1]}{place}{match[3] or ''})"

    fences = FENCE.findall(text)
    between = [LINK.sub(lead, part) for part in FENCE.split(text)]
    joined = "".join(part + fence for part, fence in zip(between, [*fences, ""], strict=True))
    headings: list[tuple[int, str, str]] = []

    def anchor(match: re.Match[str]) -> str:
        words = html.unescape(re.sub(r"<[^>]*>", "", match[2]))
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        headings.append((int(match[1]), name, words))
        return f'<h{match[1]} id="{name}">{match[2]}</h{match[1]}>'

    body = re.sub(r"<h([1-6])[^>]*>(.*?)</h\1>", anchor, str(to_html(joined)), flags=re.DOTALL)
    return Page(source, headings[0][2], headings[1:], body, files)


def places_of(modules: Mapping[str, Module]) -> dict[str, str]:
    """Return the place in the site of each dotted name that the reference has, also by its home, and of its classes."""
    places: dict[str, str] = {}
    for name, module in modules.items():
        page = f"{API}/{name.replace('.', '/')}.html"
        places[name] = page
        for member in shown(module):
            place = f"{page}#{member.qualname}"
            places.setdefault(".".join(filter(None, member.taken_from)), place)
            places.setdefault(f"{name}.{member.qualname}", place)
            if member.qualname[0].isupper():
                places.setdefault(member.qualname, place)
    return places


def shown(module: Module) -> Iterator[Doc]:
    """Give what a module's page has anchors for: its members, and their own."""
    for member in module.members.values():
        if member.docstring:
            yield member
            if member.kind == "class":
                yield from (one for one in member.own_members if one.docstring and not one.name.startswith("_"))


def link_names(body: str, places: Mapping[str, str], root: str) -> str:
    """Make links to the reference of what a document sets as code and the reference has."""

    def lead(match: re.Match[str]) -> str:
        place = places.get(match[1].removesuffix("()"))
        is_name = "." in match[1] or match[1][0].isupper()  # `tracker` and `track` are words as well
        return match[0] if place is None or not is_name else f'<a href="{root}{place}">{match[0]}</a>'

    parts = re.split(r"(<a\b.*?</a>|<h\d.*?</h\d>|<pre>.*?</pre>)", body, flags=re.DOTALL)
    parts[::2] = [re.sub(r"<code>([\w.]+(?:\(\))?)</code>", lead, part) for part in parts[::2]]
    return "".join(parts)


def link_documents(page: str, place: Path) -> str:
    """Make links of the documents that docstrings name."""
    root = "../" * (len(place.parts) - 1)
    return re.sub(r"(?<![\w/\"])(docs/\w+)\.md", rf'<a href="{root}\1.html">\g<0></a>', page)


if __name__ == "__main__":
    sys.exit(main())
