"""What an explanation holds, how it is worded, drawn and saved."""

import base64
import dataclasses
import errno
import json
import os
import sys
import types
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerascam
from kerascam.explain.explanation import Explanation

RNG = np.random.default_rng(0)
PHOTOS = RNG.integers(0, 256, (3, 8, 6, 3)).astype(np.uint8)


def explanation(grid=(8, 6), **changes):
    heatmaps = RNG.random((3, *grid)).astype(np.float32)
    parts = {
        "heatmaps": heatmaps,
        "maps": heatmaps[:, ::2] * 7,
        "classes": np.array([1, 0, 2], np.int32),
        "scores": np.array([1.5, -2.0, 0.0], np.float32),
        "probabilities": np.array([0.914, np.nan, 0.25], np.float32),
        "layer": "backbone/conv",
        "method": "grad_cam",
        "statuses": ("ok", "ok", "zero gradient"),
        "class_names": ("cat", "dog"),
        "notes": ("layer backbone/conv was chosen: it is the last",),
        "images": PHOTOS.astype(np.float32) if grid == (8, 6) else RNG.random((3, *grid, 1)),
    }
    return Explanation(**(parts | changes))


# ------------------------------------------------------------------------------------ as a value


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        explanation().layer = "another"


def test_as_an_array_it_is_its_heatmaps():
    found = explanation()
    np.testing.assert_array_equal(np.asarray(found), found.heatmaps)
    assert np.asarray(found) is found.heatmaps or np.shares_memory(found, found.heatmaps)
    assert np.asarray(found, np.float64).dtype == np.float64
    copied = np.array(found)
    copied[:] = 9
    assert found.heatmaps.max() < 9
    assert np.mean(found) == pytest.approx(found.heatmaps.mean())


def test_numpy_may_not_be_promised_a_view_that_is_a_copy():
    assert np.array(explanation(), copy=False).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.array(explanation(), dtype=np.float64, copy=False)


def test_its_length_is_the_batch():
    assert len(explanation()) == 3


def test_class_names():
    found = explanation()
    assert [found.class_name(index) for index in range(3)] == ["dog", "cat", "class 2"]
    assert explanation(class_names=None).class_name(0) == "class 1"


def test_titles():
    assert explanation().titles() == [
        "dog, 91.4%", "cat, score -2", "class 2, 25.0% (zero gradient)"
    ]  # fmt: skip


def test_repr():
    assert repr(explanation()).splitlines() == [
        "Grad-CAM at backbone/conv, 3 heatmaps:",
        "  dog, 91.4%",
        "  cat, score -2",
        "  class 2, 25.0% (zero gradient)",
        "  (layer backbone/conv was chosen: it is the last)",
    ]


def test_a_part_has_its_predictions_and_the_same_layers():
    predictions = RNG.random((3, 4)).astype(np.float32)
    found = explanation(predictions=predictions, layers=("backbone/conv",))
    for part in (1, -1, slice(1, None), slice(0, 0)):
        wanted = predictions[part] if isinstance(part, slice) else predictions[part][None]
        np.testing.assert_array_equal(found[part].predictions, wanted)
        assert found[part].layers == ("backbone/conv",)
    assert explanation()[0].predictions is None


# ----------------------------------------------------------------------------------------- a table


def test_a_table_has_a_row_per_image(monkeypatch):
    # A stand-in with the one name that is used: the library does not need pandas.
    stand_in = types.SimpleNamespace(DataFrame=dict)
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    table = explanation().to_dataframe()
    assert list(table) == [
        "class", "class_name", "probability", "score", "status", "layer", "method",
    ]  # fmt: skip
    assert table["class"].tolist() == [1, 0, 2]
    assert table["class_name"] == ["dog", "cat", "class 2"]
    np.testing.assert_array_equal(table["probability"], np.float32([0.914, np.nan, 0.25]))
    np.testing.assert_array_equal(table["score"], [1.5, -2, 0])
    assert table["status"] == ["ok", "ok", "zero gradient"]
    assert table["layer"] == ["backbone/conv"] * 3 and table["method"] == ["grad_cam"] * 3
    empty = explanation()[:0].to_dataframe()
    assert list(empty) == list(table) and {len(column) for column in empty.values()} == {0}


def test_a_real_table():
    pandas = pytest.importorskip("pandas")
    table = explanation().to_dataframe()
    assert isinstance(table, pandas.DataFrame) and table.shape == (3, 7)
    assert table.set_index("class_name").loc["dog", "score"] == 1.5


def test_without_pandas_the_fix_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match="to_dataframe needs .* pip install pandas"):
        explanation().to_dataframe()


# --------------------------------------------------------------------------------------- overlays


@pytest.mark.parametrize("style", [{}, {"colormap": "jet", "alpha": 0.2}], ids=str)
def test_an_overlay_is_that_of_the_parts(style):
    found = explanation()
    wanted = kerascam.overlay(PHOTOS, found.heatmaps, **style)
    assert wanted.shape == (3, 8, 6, 3) and wanted.dtype == np.uint8
    np.testing.assert_array_equal(found.overlay(PHOTOS, **style), wanted)
    np.testing.assert_array_equal(found.overlay(**style), wanted)  # the inputs are the photos


def test_an_overlay_on_larger_photos():
    found = explanation()
    photos = np.repeat(np.repeat(PHOTOS, 3, 1), 3, 2)
    np.testing.assert_array_equal(found.overlay(photos), kerascam.overlay(photos, found.heatmaps))
    assert found.overlay(list(photos)).shape == (3, 24, 18, 3)


def test_an_overlay_of_signed_heatmaps_diverges():
    heatmaps = np.linspace(-1, 1, 3 * 48, dtype=np.float32).reshape(3, 8, 6)
    found = explanation(heatmaps=heatmaps, signed=True)
    wanted = kerascam.overlay(PHOTOS, heatmaps, signed=True)
    np.testing.assert_array_equal(found.overlay(), wanted)


def test_values_beyond_one_are_drawn_on_one_scale():
    heatmaps = explanation().heatmaps
    loud = explanation(heatmaps=40 * heatmaps)
    wanted = kerascam.overlay(PHOTOS, heatmaps / heatmaps.max())
    np.testing.assert_allclose(loud.overlay(PHOTOS).astype(int), wanted.astype(int), atol=1)


@pytest.mark.parametrize(
    "images",
    [None, PHOTOS / 127.5 - 1, RNG.random((3, 8, 6, 5)), PHOTOS.astype(np.float32) - 117],
    ids=["none", "scaled to -1 to 1", "five channels", "mean subtracted"],
)
def test_preprocessed_inputs_are_no_photos(images):
    found = explanation(images=images)
    with pytest.raises(ValueError, match="photos must be given: the model's inputs are not"):
        found.overlay()
    np.testing.assert_array_equal(found.overlay(PHOTOS), kerascam.overlay(PHOTOS, found.heatmaps))
    assert isinstance(found.plot(), Figure)  # the heatmaps alone


@pytest.mark.parametrize("grid", [(7,), (4, 3, 5)], ids=["signal", "volume"])
def test_overlays_are_of_pictures(grid):
    message = "overlay needs two-dimensional heatmaps, not of shape .*; use plot()"
    with pytest.raises(ValueError, match=message):
        explanation(grid).overlay(PHOTOS)


def test_photos_that_are_not_as_many():
    with pytest.raises(ValueError, match="photos must be as many as the heatmaps"):
        explanation().overlay(PHOTOS[:2])


# ------------------------------------------------------------------------------------------- plots


@pytest.mark.parametrize("grid", [(7,), (8, 6), (4, 3, 5)], ids=["signal", "picture", "volume"])
@pytest.mark.parametrize("signed", [False, True], ids=["positive", "signed"])
def test_plots(grid, signed):
    found = explanation(grid)
    if signed:
        heatmaps = found.heatmaps - np.float32(0.5)
        found = dataclasses.replace(found, heatmaps=heatmaps, signed=True)
    figure = found.plot()
    assert isinstance(figure, Figure)
    assert len(figure.subfigs) == 3
    titles = [part.get_suptitle() for part in figure.subfigs]
    assert all(
        title.startswith(wanted) for title, wanted in zip(titles, found.titles(), strict=True)
    )


def test_a_plot_with_other_photos():
    figure = explanation(images=None).plot(PHOTOS)
    drawn = figure.subfigs[1].axes[0].images[0].get_array()
    np.testing.assert_array_equal(drawn, PHOTOS[1])


@pytest.mark.parametrize("grid", [(7,), (4, 3, 5)], ids=["signal", "volume"])
def test_a_plot_that_has_nothing_to_draw_on(grid):
    with pytest.raises(
        ValueError, match="photos must be given: the model has no input on the heat"
    ):
        explanation(grid, images=None).plot()


def test_a_plot_of_too_many_axes():
    with pytest.raises(ValueError, match=r"plot cannot draw heatmaps of shape \(3, 2, 2, 2, 2\)"):
        explanation((2, 2, 2, 2)).plot()


@pytest.mark.parametrize("grid", [(7,), (8, 6), (4, 3, 5)], ids=["signal", "picture", "volume"])
@pytest.mark.parametrize("images", ["given", "none"])
def test_in_a_notebook_it_shows_itself(grid, images):
    # Text goes through an embedding: the heatmaps of its tokens lie on no input.
    found = explanation(grid, **({} if images == "given" else {"images": None}))
    html = found._repr_html_()
    if html is None:  # the notebook then shows the text
        return
    start = '<img alt="Grad-CAM" src="data:image/png;base64,'
    assert html.startswith(start) and html.endswith('">')
    assert base64.b64decode(html[len(start) : -2]).startswith(b"\x89PNG\r\n")


# ------------------------------------------------------------------------------------------- save


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def picture(path):
    return cv2.imread(str(path))[..., ::-1]


def test_save(tmp_path):
    found = explanation()
    manifest = found.save(tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert manifest == folder / "manifest.json"
    assert sorted(path.name for path in folder.iterdir()) == [
        "000-heatmap.png", "000-overlay.png", "001-heatmap.png", "001-overlay.png",
        "002-heatmap.png", "002-overlay.png", "arrays.npz", "manifest.json",
    ]  # fmt: skip
    told = strict(manifest.read_text(encoding="utf-8"))
    assert told["method"] == "grad_cam" and told["layer"] == "backbone/conv"
    assert told["notes"] == list(found.notes) and told["arrays"] == "arrays.npz"
    assert told["layers"] == []
    assert told["explanations"][1] == {
        "class": 0, "class_name": "cat", "score": -2.0, "probability": None, "status": "ok",
        "heatmap": "001-heatmap.png", "overlay": "001-overlay.png",
    }  # fmt: skip
    assert told["explanations"][0]["probability"] == pytest.approx(0.914)
    for index, wanted in enumerate(found.overlay()):
        np.testing.assert_array_equal(picture(folder / f"{index:03d}-overlay.png"), wanted)
        wanted = kerascam.pictures.render.colorize(found.heatmaps[index])
        np.testing.assert_array_equal(picture(folder / f"{index:03d}-heatmap.png"), wanted)


@pytest.mark.parametrize("grid", [(7,), (8, 6), (4, 3, 5)], ids=["signal", "picture", "volume"])
def test_saved_arrays_reload_equal(tmp_path, grid):
    found = explanation(grid, predictions=RNG.random((3, 4)).astype(np.float32))
    found.save(tmp_path)
    names = {"heatmaps", "maps", "classes", "scores", "probabilities", "predictions"}
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert set(arrays) == names
        for name in arrays:
            wanted = getattr(found, name)
            np.testing.assert_array_equal(arrays[name], wanted)
            assert arrays[name].dtype == wanted.dtype


def test_saved_maps_of_several_layers(tmp_path):
    maps = (np.ones((3, 4, 4), np.float32), np.zeros((3, 2, 2), np.float32))
    explanation(maps=maps).save(tmp_path)
    with np.load(tmp_path / "arrays.npz") as arrays:
        np.testing.assert_array_equal(arrays["maps_0"], maps[0])
        np.testing.assert_array_equal(arrays["maps_1"], maps[1])
        assert "maps" not in arrays


def test_saved_without_photos(tmp_path):
    explanation(images=None).save(tmp_path)
    assert not list(tmp_path.glob("*-overlay.png"))
    assert "overlay" not in strict((tmp_path / "manifest.json").read_text())["explanations"][0]


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf], ids=str)
def test_a_manifest_is_json_whatever_the_score(tmp_path, score):
    scores = np.array([score, 0, 1], np.float32)
    manifest = explanation(scores=scores, probabilities=scores).save(tmp_path)
    assert strict(manifest.read_text())["explanations"][0]["score"] is None


def test_names_in_any_script(tmp_path):
    manifest = explanation(class_names=("猫", 'a "quoted"\nname')).save(tmp_path)
    told = strict(manifest.read_text(encoding="utf-8"))
    assert [each["class_name"] for each in told["explanations"][:2]] == ['a "quoted"\nname', "猫"]


@pytest.mark.parametrize("name", ["arrays.npz", "001-heatmap.png", "002-overlay.png"])
def test_an_interrupted_save_has_no_manifest_and_nothing_half_written(tmp_path, name, monkeypatch):
    explanation().save(tmp_path)  # an older save of the same folder
    original = os.replace

    def interrupted(source, target):
        if Path(target).name == name:
            raise KeyboardInterrupt
        original(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        explanation().save(tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    for path in tmp_path.iterdir():
        assert path.suffix == ".npz" or picture(path).shape == (8, 6, 3)
    monkeypatch.setattr(os, "replace", original)
    explanation().save(tmp_path)  # what the interrupted one left is in nobody's way
    assert len(list(tmp_path.iterdir())) == 8


def test_an_old_save_stays_until_the_first_new_file_is_complete(tmp_path, monkeypatch):
    explanation().save(tmp_path)
    before = contents(tmp_path)

    def full(*_arguments, **_arrays):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space left"):
        explanation().save(tmp_path)
    assert contents(tmp_path) == before


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_smaller_save_takes_the_pictures_of_the_larger_one_away(tmp_path):
    explanation().save(tmp_path)
    explanation()[:1].save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000-heatmap.png", "000-overlay.png", "arrays.npz", "manifest.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["arrays.npz", "001-heatmap.png", "002-overlay.png", "manifest.json"]
)
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_files_of_somebody_else_are_not_replaced(tmp_path, name, kind):
    folder = tmp_path / "results"
    explanation().save(folder)
    (folder / name).unlink()
    if kind == "file":
        (folder / name).write_bytes(b"a photograph, say")
    elif kind == "folder":
        (folder / name).mkdir()
    else:
        explanation().save(tmp_path / "elsewhere")
        (folder / name).symlink_to(tmp_path / "elsewhere" / name)
    before = contents(tmp_path), contents(folder)
    with pytest.raises(ValueError, match=f"holds .*{name}.*kerascam did not write.*: give another"):
        explanation().save(folder)
    assert (contents(tmp_path), contents(folder)) == before


def test_a_manifest_of_an_older_version_is_said_to_be_one(tmp_path):
    told = {"method": "cam", "layer": "a", "notes": [], "arrays": "arrays.npz", "explanations": []}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(ValueError, match="of an older kerascam, whose pictures are not marked"):
        explanation().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[" * 200_000, '{"explanations": ' * 50_000, "[1]", "null", "\ud7ff", "1" * 10_000],
    ids=["empty", "deep list", "deep dict", "list", "null", "text", "long number"],
)
def test_a_manifest_of_any_content_is_not_replaced(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="holds a manifest.json that kerascam did not write"):
        explanation().save(tmp_path)
    assert (tmp_path / "manifest.json").read_text(encoding="utf-8") == text


def test_only_pictures_with_the_mark_and_in_the_list_are_removed(tmp_path):
    folder = tmp_path / "results"
    explanation().save(folder)
    ours = (folder / "000-heatmap.png").read_bytes()
    (tmp_path / "outside.png").write_bytes(ours)
    (folder / "unlisted.png").write_bytes(ours)
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "unmarked.png").write_bytes(cv2.imencode(".png", PHOTOS[0])[1].tobytes())
    (folder / "sub.png").mkdir()
    (folder / "text.png").write_bytes(ours)
    hostile = [
        "../outside.png",
        str(tmp_path / "outside.png"),
        "link.png",
        "unmarked.png",
        ".png",
        "sub.png",
        "a\0.png",
        "",
        ".",
        "..",
        "x" * 5000 + ".png",
        7,
        None,
        ["a.png"],
    ]
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_text())
    told["explanations"] += [{"overlay": name, "file": name} for name in hostile]
    told["explanations"] += [{"image": "text.png", "class_name": "text.png"}, 3, None, "text.png"]
    manifest.write_text(json.dumps(told))
    explanation()[:1].save(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "000-heatmap.png", "000-overlay.png", "arrays.npz", "link.png", "manifest.json", "sub.png",
        "text.png", "unlisted.png", "unmarked.png",
    ]  # fmt: skip
    assert (tmp_path / "outside.png").read_bytes() == ours


@pytest.mark.usefixtures("unchecked")
def test_a_failing_manifest_leaves_none(tmp_path):
    found = explanation(notes=(object(),))  # cannot be written as JSON
    with pytest.raises(TypeError):
        found.save(tmp_path)
    assert not (tmp_path / "manifest.json").exists()
    assert not [path for path in tmp_path.iterdir() if path.suffix not in (".npz", ".png")]


def test_wrong_photos_are_said_before_an_old_save_is_lost(tmp_path):
    manifest = explanation().save(tmp_path)
    with pytest.raises(ValueError, match="photos must be as many as the heatmaps"):
        explanation().save(tmp_path, PHOTOS[:2])
    assert not manifest.exists() or strict(manifest.read_text())


# ------------------------------------------------------------------------- through the front door


@pytest.mark.parametrize(
    ("explainer", "normalize", "signed"),
    [
        (kerascam.GradCAM, "max", False),
        (kerascam.GradCAM, "none", False),
        (kerascam.HiResCAM, "max", False),
        (kerascam.HiResCAM, "minmax", False),
        (kerascam.HiResCAM, "none", True),
        (kerascam.HiResCAM, "signed", True),
        (kerascam.GradientTimesInput, "signed", True),
    ],
)
def test_signed_where_evidence_against_is_kept(explainer, normalize, signed):
    model = keras.Sequential([
        keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 2), keras.layers.Flatten(),
        keras.layers.Dense(2),
    ])  # fmt: skip
    found = explainer(model, normalize=normalize)(RNG.normal(size=(4, 6, 6, 1)))
    assert found.signed == signed == bool((found.heatmaps < 0).any())


@pytest.mark.parametrize("grid", [(9,), (9, 8), (6, 5, 4)], ids=["signal", "picture", "volume"])
def test_a_model_of_any_rank(grid, tmp_path):
    convolution = getattr(keras.layers, f"Conv{len(grid)}D")
    model = keras.Sequential([
        keras.Input((*grid, 1)), convolution(3, 2, activation="relu", name="conv"),
        keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    found = kerascam.GradCAM(model)(RNG.random((2, *grid, 1)))
    assert found.heatmaps.shape == (2, *grid) and found.layer == "conv"
    assert found.images.shape == (2, *grid, 1)
    assert isinstance(found.plot(), Figure)
    assert found._repr_html_().startswith('<img alt="Grad-CAM"')
    assert strict(found.save(tmp_path).read_text())["layer"] == "conv"


def test_maps_may_be_missing_as_of_a_server(tmp_path):
    found = explanation(maps=None)
    assert found[1].maps is None and found[1:].maps is None
    found.save(tmp_path)
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert set(arrays) == {"heatmaps", "classes", "scores", "probabilities"}
