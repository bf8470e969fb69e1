"""The example is a consumer: it imports public kerascam names, and its files have one idea each."""

import ast
from pathlib import Path

import pytest

import kerascam
import kerascam.metrics
import kerascam.serving

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "scene_classification"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 250


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerascam"):
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                (alias.name, None) for alias in node.names if alias.name.startswith("kerascam")
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_it_uses_public_names_and_keeps_files_short(path):
    for module, name in imports(path):
        rooms = (kerascam, kerascam.metrics, kerascam.serving)
        public = {room.__name__: room.__all__ for room in rooms}
        assert module in public
        assert name is None or name in public[module]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_it_uses_the_library():
    used = {name for path in MODULES for _, name in imports(path)}
    assert {"GradCAM", "GradCAMPlusPlus", "GuidedBackprop", "GuidedGradCAM"} <= used
