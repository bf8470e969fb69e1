#!/usr/bin/env python
"""Take the documentation's pictures of a survey's page, with headless Chromium.

    python benchmarks/suspects.py --kinds watermark --cases 1 --clean 0 --pages build/pages
    python scripts/screenshots.py build/pages/watermark-0/survey.html survey

writes `docs/images/survey.png`, as a desktop shows the page, and `docs/images/survey_phone.png`, as
a phone with a dark theme does.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import cv2

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: What is added to the name, the window, and Chromium's number of the theme.
DESKTOP, PHONE = ("", (1280, 1150), 1), ("_phone", (500, 1000), 0)


def taken(page: Path, window: tuple[int, int], theme: int) -> bytes:
    """Take a picture of a page's beginning.

    Raises:
        FileNotFoundError: If there is no Chromium.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "page.png")
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                f"--blink-settings=preferredColorScheme={theme}",
                f"--window-size={window[0]},{window[1]}", f"--screenshot={made}",
                page.absolute().as_uri(),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        pixels = cv2.imread(str(made))
    _, packed = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return packed.tobytes()


def main() -> None:
    """Take both pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("name", help="of the pictures")
    arguments = parser.parse_args()
    for suffix, window, theme in (DESKTOP, PHONE):
        path = IMAGES / f"{arguments.name}{suffix}.png"
        path.write_bytes(taken(arguments.page, window, theme))
        print(f"wrote {path.relative_to(IMAGES.parents[1])}")


if __name__ == "__main__":
    main()
