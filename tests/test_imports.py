"""Packages import only from those below them, and no modules import each other in a circle."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# From the top down. Rooms on one floor don't import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("app", "callbacks_app", "cli"),
    ("dashboard",),
    ("monitoring", "webhooks", "doctor"),
    ("rules",),
    ("people",),
    ("alerts",),
    ("access",),
    ("database", "twiml", "storage", "twilio_client", "settings", "simulator"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# `python -m alerts` runs the command line, which is above it.
ALLOWED = {("alerts.__main__", "cli.main")}


def modules() -> dict[str, Path]:
    """Every module of the program, by its dotted name."""
    found = {}
    for room in FLOOR_OF:
        files = [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else []
        for file in files or sorted((ROOT / room).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = file
    return found


MODULES = modules()


def imports_of(name: str, *, for_types: bool) -> set[str]:
    """The modules of ours that a module imports, wherever in the file.

    Without `for_types` those are left out that only a type checker follows.
    """
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if for_types else _run(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {_ours(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(base, _package(name)) if node.level else base
            found |= {_ours(f"{base}.{alias.name}") for alias in node.names}
    return found - {"", name}


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, but for what stands under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _run(node)


def _package(name: str) -> str:
    return name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]


def _ours(name: str) -> str:
    """The module of ours that an imported name is, or is in; "" if it is none."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def test_every_room_has_a_floor():
    folders = {
        each.parent.name
        for each in ROOT.glob("*/__init__.py")
        if each.parent.name not in {"tests", "bench"}
    }
    assert {*folders, *(each.stem for each in ROOT.glob("*.py"))} == set(FLOOR_OF)


def test_nothing_imports_upwards_or_sideways():
    wrong = [
        f"{name} imports {imported}"
        for name in MODULES
        for imported in imports_of(name, for_types=True)
        if (name, imported) not in ALLOWED and not _may_import(name, imported)
    ]
    assert wrong == []


def _may_import(name: str, imported: str) -> bool:
    room, other = name.partition(".")[0], imported.partition(".")[0]
    if "app" in {room, other} and room != other:
        return room == "app" and FLOOR_OF[other] > 0
    # A simulation runs inside of alerts; the simulator itself knows nothing of it.
    return room == other or FLOOR_OF[room] < FLOOR_OF[other]


def test_no_module_imports_itself_through_others():
    """Also not inside of functions: an import that is late because of a circle is a circle."""
    graph = {
        name: {each for each in imports_of(name, for_types=False) if each != _package(name)}
        for name in MODULES
        if not name.endswith("__main__")
    }
    assert list(TopologicalSorter(graph).static_order())


def test_no_circle_even_for_types_in_the_rooms_that_can_be_lifted_out():
    liftable = {
        name: imports_of(name, for_types=True)
        for name in MODULES
        if name.partition(".")[0] in {"twiml", "storage", "twilio_client", "simulator", "database"}
        and not name.endswith("__main__")
    }
    inside = {
        name: {each for each in found if each in liftable} for name, found in liftable.items()
    }
    assert list(TopologicalSorter(inside).static_order())
