"""What the commands print, recorded when the documentation is built: they run as a reader would."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.image

# The reference network and the two photographs lie in the folder in which they run.
SESSIONS = {
    "explain": "kerascam explain scenes.keras photos --class-names classes.txt --out explanations",
    "export": "kerascam export scenes.keras --class-names classes.txt --out models/scenes",
    "layers": "kerascam layers scenes.keras | grep -e Kind -e _out",
    "survey": "kerascam survey scenes.keras photos --class-names classes.txt --out survey",
    "methods": "kerascam methods",
    "metrics": "kerascam metrics",
}
PICTURES = "explanations"
_LONGEST_SECONDS = 600


def file_of(command: str) -> str:
    """Return the name of the file that holds what a command printed."""
    return f"session_{command}.txt"


def record(folder: Path) -> None:
    """Run all commands, and keep what they print and the pictures that `explain` draws.

    Args:
        folder: Where to keep it.

    Raises:
        RuntimeError: If a command fails.
    """
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        _prepare(place)
        for command, line in SESSIONS.items():
            printed = f"$ {line}\n{run(line, place)}"
            (folder / file_of(command)).write_text(printed, encoding="utf-8")
        shutil.copytree(place / PICTURES, folder / PICTURES, dirs_exist_ok=True)


def run(line: str, place: Path) -> str:
    """Run a line of a shell and return what a terminal of the page's width would show.

    Args:
        line: It begins with "kerascam", which is the one of this Python.
        place: The folder to run it in.

    Raises:
        RuntimeError: If it fails, with what it printed.
    """
    environment = os.environ | {"COLUMNS": "88", "NO_COLOR": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Modules are found as they are here, wherever the shell runs.
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(each).resolve()) for each in sys.path)
    shell = f'kerascam() {{ "{sys.executable}" -m kerascam "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=_LONGEST_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{line!r} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def _prepare(place: Path) -> None:
    """Write the network, the names of its classes and the whole photographs."""
    from sklearn.datasets import load_sample_images

    from kerascam_docs.figures import network

    model, class_names = network()
    model.save(place / "scenes.keras")
    (place / "classes.txt").write_text("\n".join(class_names) + "\n", encoding="utf-8")
    (place / "photos").mkdir()
    found = load_sample_images()
    for name, photo in zip(found.filenames, found.images, strict=True):
        file = place / "photos" / Path(name).name
        matplotlib.image.imsave(file, photo, pil_kwargs={"quality": 95})
