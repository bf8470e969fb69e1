#!/usr/bin/env python
"""Run the README's example and keep the picture that it makes."""

import os
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "cam.png"


def example(readme: str) -> str:
    """Return the code that makes the picture, and the model and the photograph of other blocks.

    Raises:
        ValueError: If not exactly one block does.
    """
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    made = [block for block in blocks if f'imwrite("{PICTURE.name}"' in block]
    if len(made) != 1:
        raise ValueError(f"one block of README.md must write {PICTURE.name}, not {len(made)}")
    return made[0]


def main() -> None:
    """Run the example in a temporary folder and move its picture to docs/images."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    code = example((ROOT / "README.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(PICTURE.name, PICTURE)
        os.chdir(ROOT)
    print(f"wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
