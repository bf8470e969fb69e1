"""What a run learns from: noted when its training begins, and the same ever after."""

from __future__ import annotations

import hashlib
import json

from scene_classification.data.folder import Scenes
from scene_classification.files import write_text
from scene_classification.run_folder import RunFolder


def note_lesson(scenes: Scenes, run: RunFolder) -> None:
    """Note the classes and training images of a run, or see that they are those noted.

    Raises:
        ValueError: If training began with other classes or images.
    """
    names = "\n".join(path.relative_to(scenes.root).as_posix() for path in scenes.train.paths)
    lesson = {
        "classes": list(scenes.classes),
        "images": len(scenes.train),
        "names_sha256": hashlib.sha256(names.encode()).hexdigest(),
    }
    if not run.lesson.exists():
        write_text(run.lesson, json.dumps(lesson, indent=2) + "\n")
        return
    noted = json.loads(run.lesson.read_text(encoding="utf-8"))
    if noted != lesson:
        raise ValueError(
            f"data={str(scenes.root)!r} holds {lesson['images']} training images of "
            f"{lesson['classes']}, not the {noted['images']} of {noted['classes']} that this run "
            "began with; choose another --run for another training"
        )


def learned_classes(run: RunFolder) -> tuple[str, ...]:
    """Return the class names that a run's network was trained on, in order of class index."""
    return tuple(json.loads(run.lesson.read_text(encoding="utf-8"))["classes"])
