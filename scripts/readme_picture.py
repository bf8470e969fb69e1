#!/usr/bin/env python
"""Run the README's first example and keep the picture that it makes."""

import os
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "cam.png"


def main() -> None:
    """Run the example in a temporary folder and move its picture to docs/images."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.move("cam.png", PICTURE)
        os.chdir(ROOT)
    print(f"wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
