import sys
from types import SimpleNamespace

import pytest

from scene_classification.config import Config
from scene_classification.data.drawn import write_drawn_scenes
from scene_classification.data.sources import KAGGLE_DATA_SET, open_scenes
from scene_classification.run_folder import RunFolder


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_drawn_scenes(tmp_path_factory.mktemp("scenes"), train=2, test=1, size=32)


def kaggle(monkeypatch, download):
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=download))


def test_scenes_are_drawn_below_the_run(run):
    counts = []
    config = Config(drawn_train=2, drawn_test=1, image_size=32, seed=3)
    scenes = open_scenes(config, run, counts.append)
    assert scenes.root == run.root / "data"
    assert (len(scenes.train), len(scenes.test)) == (12, 6)
    assert counts == [1] * (18 + len(scenes.unlabelled))
    assert scenes.mask_path(scenes.test.paths[0]) is not None


def test_scenes_are_drawn_as_the_settings_say(run, tmp_path):
    config = Config(data=str(tmp_path / "own"), drawn_train=2, drawn_test=1, image_size=32, seed=3)
    scenes = open_scenes(config, run)
    assert scenes.root == tmp_path / "own"
    same = write_drawn_scenes(tmp_path / "same", train=2, test=1, size=32, seed=3)
    for path in scenes.train.paths:
        assert path.read_bytes() == (same / path.relative_to(scenes.root)).read_bytes()


def test_a_folder_is_read(run, drawn):
    scenes = open_scenes(Config(source="folder", data=str(drawn)), run)
    assert scenes.root == drawn and len(scenes.train) == 12


def test_a_folder_must_be_given(run):
    with pytest.raises(ValueError, match="source='folder' needs a folder and data is None; give"):
        open_scenes(Config(source="folder"), run)


def test_an_unknown_source_is_named_with_the_known_ones(run):
    known = r"choose one of \['drawn', 'folder', 'kaggle'\]"
    with pytest.raises(ValueError, match=f"source='zip' is unknown; {known}"):
        open_scenes(Config(source="zip"), run)


def test_kaggle_gives_the_folder_that_it_downloaded_to(run, drawn, monkeypatch):
    asked = []
    kaggle(monkeypatch, lambda handle: asked.append(handle) or str(drawn))
    assert open_scenes(Config(source="kaggle"), run).root == drawn
    assert asked == [KAGGLE_DATA_SET]


def test_without_kagglehub_the_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # import then fails
    with pytest.raises(ModuleNotFoundError, match="pip install kagglehub") as caught:
        open_scenes(Config(source="kaggle"), run)
    assert isinstance(caught.value.__cause__, ImportError)


@pytest.mark.parametrize("cause", [OSError("no route to host"), RuntimeError("403 Forbidden")])
def test_when_kaggle_fails_the_way_by_hand_is_named(run, monkeypatch, cause):
    def refuse(handle):
        raise cause

    kaggle(monkeypatch, refuse)
    by_hand = (
        f"https://www.kaggle.com/datasets/{KAGGLE_DATA_SET}, unpack it and use --source folder"
    )
    with pytest.raises(ConnectionError, match=f"{cause}; download the zip .* {by_hand}") as caught:
        open_scenes(Config(source="kaggle"), run)
    assert caught.value.__cause__ is cause


def test_a_stop_is_no_failure_of_kaggle(run, monkeypatch):
    def stop(handle):
        raise KeyboardInterrupt

    kaggle(monkeypatch, stop)
    with pytest.raises(KeyboardInterrupt):
        open_scenes(Config(source="kaggle"), run)
