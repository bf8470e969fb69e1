"""The shape of the code: what imports what, and how long a file is.

The arrows between modules are import-linter's, in pyproject.toml; here is what it cannot see.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "kerascam"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 300
HEAVY = ("tensorflow", "keras", "numpy", "cv2", "matplotlib")
BLOCK_TENSORFLOW = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def module_id(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


# ------------------------------------------------------------------------------- light imports


def test_importing_kerascam_is_light() -> None:
    done = python(f"import sys, kerascam; print(*sorted({set(HEAVY)} & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_the_client_is_light() -> None:
    heavy = {"tensorflow", "keras", "grpc", "matplotlib", "cv2"}
    code = "import sys; from kerascam.serving import Client"
    done = python(f"{code}; print(*sorted({heavy} & set(sys.modules)))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    "start",
    [
        pytest.param("import kerascam.cli; kerascam.cli.main(['--help'])", id="kerascam"),
        pytest.param(
            "import runpy; sys.argv = ['kerascam', '--help']\n"
            "runpy.run_module('kerascam', run_name='__main__', alter_sys=True)",
            id="python -m kerascam",
        ),
    ],
)
def test_help_needs_no_tensorflow(start: str) -> None:
    done = python(BLOCK_TENSORFLOW + start)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


# --------------------------------------------------------------------------------------- files


def syntax(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_file_is_short(path: Path) -> None:
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= MAX_LINES, f"{module_id(path)} has {count} lines: is it more than one idea?"


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_errors_are_raised_not_asserted(path: Path) -> None:
    lines = [node.lineno for node in syntax(path) if isinstance(node, ast.Assert)]
    assert not lines, f"{module_id(path)} has assert statements on lines {lines}"


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_only_the_command_line_prints(path: Path) -> None:
    if path.relative_to(SOURCE).parts[0] in ("cli", "cli.py"):
        return
    calls = [node for node in syntax(path) if isinstance(node, ast.Call)]
    lines = [call.lineno for call in calls if getattr(call.func, "id", None) == "print"]
    assert not lines, f"{module_id(path)} prints on lines {lines}"
