"""The house: every import points down, and no two modules need each other. `docs/architecture.md` tells why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

FLOORS = (  # the lowest first; a module may import those of lower floors, and of its own
    ("tracker",),
    ("centertrack.version", "centertrack.doors", "centertrack.shadow", "centertrack.configuration"),
    ("centertrack.decode", "centertrack.geometry"),
    ("centertrack.models",),
    ("centertrack.losses", "centertrack.synthetic", "centertrack.average_precision"),
    ("centertrack.runtime", "centertrack.data"),
    ("centertrack.predictor",),
    ("centertrack.app",),
    ("centertrack.training",),
    ("centertrack.bench", "centertrack.tuning", "centertrack.review", "centertrack.web"),
    ("centertrack.commands", "centertrack.cli"),
    ("centertrack", "centertrack.__main__"),
)
DOORS = ("centertrack", "centertrack.models")  # offer names of any floor, so that nothing of ours may import them
NEVER = {  # floor or module -> what it does not import, late or not
    "tracker": ("centertrack", "torch"),
    "centertrack.models": ("pytorch_lightning",),
    "centertrack.runtime": ("pytorch_lightning",),
    "centertrack.runtime.detectors": ("torch", "torchvision", "onnx", "onnxruntime"),
    "centertrack.app": ("torch", "pytorch_lightning"),
    "centertrack.review": ("torch", "pytorch_lightning"),
    "centertrack.web": ("torch", "pytorch_lightning"),
    "centertrack.predictor": ("torch", "pytorch_lightning"),
    "centertrack.synthetic": ("torch",),
}


def find_modules() -> dict[str, Path]:
    found = {}
    for package in ("centertrack", "tracker"):
        for path in sorted((PROJECT / package).rglob("*.py")):
            name = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imported_names(name: str, path: Path) -> Iterator[str]:
    """Give all names that a module imports anywhere: at its head, in functions, and for types only."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{one.name}" for one in node.names)


def imports_of(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Return module -> modules of ours that it imports."""
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        targets = set()
        for imported in imported_names(name, path):
            target = imported if imported in modules else imported.rpartition(".")[0]
            if target in modules and target != name:
                targets.add(target)
        found[name] = targets
    return found


def floor_of(module: str) -> int:
    if module in DOORS:
        return len(FLOORS) - 1
    places = [(len(room), i) for i, rooms in enumerate(FLOORS) for room in rooms if f"{module}.".startswith(f"{room}.")]
    return max(places)[1]


def find_circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other, by removing what nothing or everything else is done with."""
    left = {name: set(targets) for name, targets in imports.items()}
    while True:
        used = set().union(*left.values()) if left else set()
        leaves = {name for name, targets in left.items() if not targets & left.keys()} | (left.keys() - used)
        if not leaves:
            return [sorted(left)] if left else []
        left = {name: targets - leaves for name, targets in left.items() if name not in leaves}


MODULES = find_modules()
IMPORTS = imports_of(MODULES)


def test_no_two_modules_need_each_other() -> None:
    assert find_circles(IMPORTS) == []


def test_a_circle_is_found() -> None:
    circle = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert find_circles(circle) == [["b", "c"]]


def test_every_import_points_down() -> None:
    up = [f"{name} -> {to}" for name, targets in IMPORTS.items() for to in targets if floor_of(to) > floor_of(name)]
    assert up == []


def test_nothing_of_ours_goes_through_a_door() -> None:
    through = [f"{name} -> {to}" for name, targets in IMPORTS.items() for to in targets & set(DOORS)]
    assert [one for one in through if not one.startswith("centertrack.__main__")] == []


@pytest.mark.parametrize("room", sorted(NEVER))
def test_what_a_room_does_without(room: str) -> None:
    inside = {name: path for name, path in MODULES.items() if f"{name}.".startswith(f"{room}.") and name not in DOORS}
    found = [
        f"{name} -> {imported}"
        for name, path in inside.items()
        for imported in imported_names(name, path)
        if imported.split(".")[0] in NEVER[room]
    ]
    assert found == []


@pytest.mark.parametrize("door", DOORS)
def test_a_door_offers_what_it_shows_to_type_checkers(door: str) -> None:
    import importlib

    package = importlib.import_module(door)
    typed = {name.rpartition(".")[2] for name in imported_names(door, MODULES[door])} - {
        "TYPE_CHECKING",
        "door",
        "refuse_shadow",
    }
    assert set(package.__all__) == typed
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing
