"""What the documentation's build makes of the code: its gallery, and the output of the commands."""

import re
import shlex
from pathlib import Path

import cv2
import matplotlib.image
import numpy as np
import pytest

import kerascam
from kerascam.cli.parser import parse
from kerascam_docs import figures, gallery, outdated, pages, sessions
from kerascam_docs.reference import public_names

DOCS = Path(__file__).parents[1] / "docs"

# --------------------------------------------------------------------------------------- gallery


def test_every_tile_is_drawn_and_leads_to_its_method() -> None:
    made = gallery.gallery()
    tiles = re.findall(r"\(_generated/(\S+)\) \*\*(.+?)\*\* .+?\]\((\S+)\)$", made, re.MULTILINE)
    assert len(tiles) == made.count("[![") == 1 + len(gallery.SHOWN)
    assert {file for file, _, _ in tiles} <= set(figures.FIGURES)
    (_, _, guide), *rest = tiles
    assert (DOCS / guide).is_file()
    for _, title, page in rest:
        assert page == f"api/kerascam.{title}.rst" and f"kerascam.{title}" in public_names()


def test_a_tile_is_both_pictures_side_by_side() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 560, 560, 3), np.uint8)
    made = gallery.tile(pictures)
    assert made.shape == (280, 560, 3)
    means = pictures.reshape(2, 280, 2, 280, 2, 3).mean(axis=(2, 4))
    assert np.abs(made - np.hstack([*means])).max() <= 1


def test_a_picture_is_written_pixel_for_pixel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    monkeypatch.setattr(figures, "FIGURES", {"picture.png": lambda: picture})
    assert outdated.draw_outdated(tmp_path) == [tmp_path / "picture.png"]
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "picture.png"))[..., ::-1], picture)
    assert outdated.draw_outdated(tmp_path) == []  # it is newer than what it shows


# -------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize("command", sessions.SESSIONS)
def test_a_session_is_of_its_command_and_shown(command: str) -> None:
    line = sessions.SESSIONS[command].partition("|")[0]
    program, *arguments = shlex.split(line)
    assert program == "kerascam" and parse(arguments).command == command
    section = pages.command_line().split(f"## `kerascam {command}`\n")[1].split("\n## ")[0]
    assert f"literalinclude}} ../_generated/{sessions.file_of(command)}\n" in section
    assert f"usage: kerascam {command}" in section


def test_a_session_is_what_this_kerascam_prints(tmp_path: Path) -> None:
    assert sessions.run("kerascam --version", tmp_path) == f"kerascam {kerascam.__version__}\n"
    assert sessions.run("kerascam --help | grep -c COMMAND", tmp_path).strip().isdigit()


def test_a_command_that_fails_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)'kerascam explian \| cat' ended with 2:.*explian"):
        sessions.run("kerascam explian | cat", tmp_path)


def test_commands_run_again_only_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / sessions.file_of(command) for command in sessions.SESSIONS]
    monkeypatch.setattr(sessions, "record", lambda folder: [path.touch() for path in files])
    assert outdated.record_outdated(tmp_path) is True
    assert outdated.record_outdated(tmp_path) is False
    files[-1].unlink()
    assert outdated.record_outdated(tmp_path) is True


def test_what_the_network_sees_is_what_the_pictures_are_named_after(tmp_path: Path) -> None:
    sessions._prepare(tmp_path)
    names = (tmp_path / "classes.txt").read_text(encoding="utf-8").split()
    assert tuple(names) == figures.network()[1] and (tmp_path / "scenes.keras").is_file()
    photos = sorted((tmp_path / "photos").iterdir())
    assert [path.name for path in photos] == ["china.jpg", "flower.jpg"]
    assert matplotlib.image.imread(photos[0]).shape == (427, 640, 3)
    shown = re.findall(r"explanations/(\w+)\.grad_cam\.(\w+)\.png", pages.command_line())
    assert [f"{name}.jpg" for name, _ in shown] == [path.name for path in photos]
    assert {label for _, label in shown} <= set(names)
