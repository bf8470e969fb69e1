"""Image files become what a model takes, and what is drawn on."""

import io
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

import kerascam
from kerascam import GradCAM, LoadedImages, load_images
from kerascam.pictures import fitting

SIZE = (6, 8)
RANDOM = np.random.default_rng(5)
WIDE, TALL = (RANDOM.integers(0, 256, (*size, 3), np.uint8) for size in ((10, 30), (24, 9)))


def network(shape: tuple[int | None, ...] = (*SIZE, 3), **options: Any) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(4, 3, name="last", **options),
            keras.layers.GlobalAveragePooling2D(**options),
            keras.layers.Dense(2, "softmax"),
        ]
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return network()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "wide.png", tmp_path / "tall.png"]
    for path, photo in zip(paths, (WIDE, TALL), strict=True):
        Image.fromarray(photo).save(path)
    return paths


def test_images_are_fitted_and_photos_are_as_they_were(
    model: keras.Model, files: list[Path]
) -> None:
    loaded = load_images(files, model)
    assert isinstance(loaded, LoadedImages)
    images, photos = loaded
    assert images.shape == (2, *SIZE, 3) and images.dtype == np.float32
    for photo, own, image in zip(photos, (WIDE, TALL), images, strict=True):
        np.testing.assert_array_equal(photo, own)
        np.testing.assert_array_equal(image, fitting.resize(own, SIZE))


def test_a_crop_gives_the_part_that_the_model_sees(model: keras.Model, files: list[Path]) -> None:
    images, photos = load_images(files, model, fit="crop")
    np.testing.assert_array_equal(photos[0], WIDE[:, 8:21])  # 13 wide, in the middle
    np.testing.assert_array_equal(photos[1], TALL[8:15])  # 9 * 6 / 8 is 6.75
    for photo, image in zip(photos, images, strict=True):
        np.testing.assert_array_equal(image, fitting.resize(photo, SIZE))


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_one_file_is_a_batch_of_one(model: keras.Model, files: list[Path], kind: Any) -> None:
    images, photos = load_images(kind(files[0]), model)
    assert images.shape == (1, *SIZE, 3) and len(photos) == 1
    both = load_images((kind(path) for path in files), model)
    np.testing.assert_array_equal(both.images[:1], images)


def test_what_is_loaded_is_explained_and_drawn(
    model: keras.Model, files: list[Path], tmp_path: Path
) -> None:
    images, photos = load_images(files, model, preprocess="-1-1")
    found = GradCAM(model)(images)
    for place, photo in enumerate(photos):
        drawn = found[place].overlay([photo])
        assert drawn.shape == (1, *photo.shape)
        np.testing.assert_array_equal(drawn[0], kerascam.overlay(photo, found.heatmaps[place]))
    found.save(tmp_path / "out", photos)
    assert len(list((tmp_path / "out").glob("*-overlay.png"))) == 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_upright(model: keras.Model, tmp_path: Path, orientation: int) -> None:
    own = Image.fromarray(WIDE)
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that undoes it
    turned = own if orientation == 1 else own.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    turned.save(path, quality=100, subsampling=0, exif=exif)
    (photo,) = load_images(path, model).photos
    assert np.abs(photo.astype(int) - WIDE).max() <= 12


def test_preprocessing_by_name_and_by_function(model: keras.Model, files: list[Path]) -> None:
    plain = load_images(files, model).images
    for how, wanted in {
        "0-1": plain / 255,
        "-1-1": plain / 127.5 - 1,
        "resnet50": plain[..., ::-1] - np.float32([103.939, 116.779, 123.68]),
    }.items():
        np.testing.assert_allclose(
            load_images(files, model, preprocess=how).images, wanted, atol=1e-4
        )
    halves = load_images(files, model, preprocess=lambda pixels: keras.ops.multiply(pixels, 0.5))
    np.testing.assert_array_equal(halves.images, plain / 2)
    assert isinstance(halves.images, np.ndarray)


def test_grey_models_and_models_with_channels_first(files: list[Path]) -> None:
    grey = load_images(files, network((*SIZE, 1)))
    assert grey.images.shape == (2, *SIZE, 1) and grey.photos[0].shape == WIDE.shape
    luminance = fitting.resize(WIDE, SIZE) @ [0.299, 0.587, 0.114]
    assert np.abs(grey.images[0, ..., 0] - luminance).max() <= 0.51
    first = load_images(files, network((3, *SIZE), data_format="channels_first"))
    np.testing.assert_array_equal(
        np.moveaxis(first.images, 1, -1), load_images(files, network()).images
    )


def test_a_model_of_any_size(files: list[Path]) -> None:
    anything = network((None, None, 3))
    alone = load_images(files[0], anything)
    np.testing.assert_array_equal(alone.images[0], WIDE)
    with pytest.raises(ValueError, match=r"size must be given: .* several, such as 10x30, 24x9"):
        load_images(files, anything)
    assert load_images(files, anything, size=(5, 7)).images.shape == (2, 5, 7, 3)


# --------------------------------------------------------------------------------------- errors


def test_bad_files_are_named_together_with_the_reasons(
    model: keras.Model, files: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    reasons = {
        "gone.png": "no such file or directory",
        "text.jpg": "not an image, or a damaged one",
        "empty.png": "the file is empty",
        "pipe.png": "neither a file nor a folder",
        ".": "a folder",
        "nul\0.png": "no file can have such a name",
    }
    for name, why in reasons.items():
        with pytest.raises(ValueError) as caught:
            load_images([files[0], tmp_path / name], model)
        assert str(caught.value) == f"{tmp_path / name}: {why}"
    with pytest.raises(ValueError, match=r"gone.png: .*; .*text.jpg: .*; .*empty.png: .*; and 3 m"):
        load_images([tmp_path / name for name in reasons], model)


def test_a_photograph_may_claim_only_so_much(model: keras.Model, files: list[Path]) -> None:
    with pytest.raises(ValueError, match=r"wide.png: claims 30x10 = 300 pixels.*max_pixels=300 a"):
        load_images(files[0], model, max_pixels=299)
    assert load_images(files[0], model, max_pixels=300).images.shape[0] == 1


def test_a_dark_sensor_image_is_noted(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "sensor.png"
    Image.fromarray(np.array([[0, 4095]] * 2, np.uint16)).save(path)
    with pytest.warns(UserWarning, match=r"sensor.png: .* depth=12 brightens it"):
        dark = load_images(path, model).photos[0]
    assert (dark.max(), load_images(path, model, depth=12).photos[0].max()) == (15, 255)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"paths": None}, TypeError, "paths must be a file or a list of files, not None"),
        ({"paths": 7}, TypeError, "paths must be a file or a list of files, not 7"),
        ({"paths": b"a.png"}, TypeError, "paths must be a file or a list of files, not b'a.png'"),
        ({"paths": [b"a.png"]}, TypeError, "paths must be a file or a list of files"),
        ({"paths": ["a.png", None]}, TypeError, "paths must be a file or a list of files"),
        ({"paths": np.zeros((2, 8, 8, 3))}, TypeError, "paths must be a file or a list of files"),
        ({"paths": []}, ValueError, "paths must hold at least one file; received none"),
        ({"model": None}, TypeError, "model must be a keras.Model"),
        ({"fit": "fill"}, ValueError, "fit must be 'stretch' or 'crop', not 'fill'"),
        ({"fit": None}, ValueError, "fit must be 'stretch' or 'crop', not None"),
        ({"fit": ["crop"]}, ValueError, "fit must be 'stretch' or 'crop'"),
        ({"preprocess": "resnet51"}, ValueError, "preprocess has no 'resnet51'; did you mean"),
        ({"preprocess": None}, TypeError, "preprocess must be a name or a function"),
        ({"preprocess": np.sum}, ValueError, r"preprocess must return a batch .* not shape \(\)"),
        ({"preprocess": lambda pixels: None}, ValueError, "preprocess must return a batch"),
        ({"size": (5, 5)}, ValueError, "size 5x5 does not fit the model, which takes 6x8"),
        ({"size": 5}, TypeError, r"size must be the two numbers \(height, width\), not 5"),
        ({"size": (5, "5")}, TypeError, "size must be"),
        ({"max_pixels": 0}, ValueError, "max_pixels must be at least 1, not 0"),
        ({"depth": 17}, ValueError, "depth must be at most 16, not 17"),
        ({"depth": None}, TypeError, "depth must be"),
    ],
)
def test_a_wrong_argument_is_named(
    model: keras.Model, files: list[Path], wrong: Any, error: type[Exception], message: str
) -> None:
    arguments = {"paths": files, "model": model, **wrong}
    with pytest.raises(error, match=message):
        load_images(arguments.pop("paths"), arguments.pop("model"), **arguments)


def test_a_model_of_other_inputs_is_refused(files: list[Path]) -> None:
    with pytest.raises(ValueError, match=r"takes inputs of shape \(batch, 6, 8, 4\), not images"):
        load_images(files, network((*SIZE, 4)))


def test_any_damage_to_a_file_is_an_error_that_names_it(model: keras.Model, tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(WIDE).save(whole, "JPEG")
    random, path = np.random.default_rng(11), tmp_path / "damaged.jpg"
    for _ in range(200):
        data = np.frombuffer(whole.getvalue(), np.uint8).copy()
        places = random.integers(0, len(data), random.integers(1, 6))
        data[places] = random.integers(0, 256, len(places))
        path.write_bytes(data[: random.integers(1, len(data) + 1)].tobytes())
        try:
            images, photos = load_images(path, model)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")
        else:
            assert images.shape == (1, *SIZE, 3) and photos[0].dtype == np.uint8
