"""What a server answers from an exported model is what the library says, number for number."""

import io
import json
import os
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from ask_in_session import Served, ask, exported
from keras import layers
from PIL import Image
from proofs import proof, rows, wide

import kerascam
from kerascam import (
    Explainer,
    GradCAM,
    GuidedBackprop,
    HiResCAM,
    LayerCAM,
    export,
    overlay,
    targets,
)
from kerascam.exporting.manifest import manifest_id
from kerascam.exporting.versions import check_place, put_in_place
from kerascam.inputs import conform
from kerascam.model import input_specs
from kerascam.registry import METHODS

CLASS_NAMES = ("red", "green", "blue")
SIZE = (24, 32)
WARM_UP = "assets.extra/tf_serving_warmup_requests"

# One of each kind that differs in the graph; the library itself is tested on all of them.
KINDS = rows(
    ("inputs_in_dict_subclassed", "segmentation", "mixed_float16"),
    ("nested_twice", "subclassed", "subclassed_xla_function", "layer_tf_function",
    "hidden_in_helper", "inputs_in_list", "inputs_in_dict_subclassed", "output_by_key",
    "sigmoid_unit", "linear", "segmentation", "three_dimensions", "float64", "mixed_float16",
    "mixed_bfloat16", "any_size", "channels_first_pointwise", "augmentation", "transformer",
    # Convolutions of this kind run on some processors only.
    *(name for name in ("channels_first",) if name in zoo.KINDS)),
)  # fmt: skip

DRAWN = rows(("guided_grad_cam", "ablation_cam", "rise"), METHODS)


def photograph(height: int = SIZE[0], width: int = SIZE[1], seed: int = 0) -> np.ndarray:
    """A picture with broad areas and edges, uint8 RGB."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def unpacked(encoded: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def files(*data: bytes) -> np.ndarray:
    return np.array(data, object)


def network(size: tuple[int | None, int | None] = SIZE, channels: int = 3) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((*size, channels)),
            layers.Rescaling(1 / 127.5, -1),
            layers.Conv2D(8, 3, activation="relu", name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, activation="relu", name="last"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, "softmax"),
        ]
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return network()


@pytest.fixture(scope="module")
def served(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Served:
    explainer = GradCAM(model, ["first", "last"], class_names=CLASS_NAMES)
    folder = tmp_path_factory.mktemp("served") / "colors"
    return Served(exported(explainer, folder, raw_maps=True))


# --------------------------------------------------------------------- the library's own numbers


def request_of(model: keras.Model, inputs: Any, classes: np.ndarray) -> dict[str, np.ndarray]:
    specs = input_specs(model, inputs)
    names = ["image"] if len(specs) == 1 else [spec.name for spec in specs]
    arrays = dict(zip(names, conform(inputs, specs), strict=True))
    return {**arrays, "class_index": classes.astype(np.int32)}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Each kind's explanation by the library, and its answer from a process without kerascam."""
    base, tasks, explanations = tmp_path_factory.mktemp("kinds"), [], []
    for name in KINDS:
        specimen = zoo.KINDS[name]()
        explainer = HiResCAM(specimen.model, specimen.layer, **specimen.options)
        explanations.append(explainer(specimen.inputs, specimen.classes))
        with zoo.untouched(specimen.model):
            folder = exported(explainer, base / name, raw_maps=True, example=specimen.inputs)
        request = request_of(specimen.model, specimen.inputs, specimen.classes)
        tasks.append((folder, "explain", request))
        plain = {key: value for key, value in request.items() if key != "class_index"}
        tasks.append((folder, "serving_default", plain))
    answers = ask(tasks)
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return dict(zip(KINDS, zip(explanations, pairs, strict=True), strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_server_without_kerascam_explains_every_kind(name: str, kinds: dict[str, Any]) -> None:
    explanation, (answer, prediction) = kinds[name]
    for key in ("probabilities", "outputs"):
        if key in answer:
            np.testing.assert_allclose(answer[key], prediction[key], rtol=1e-4, atol=1e-5)
    assert {"probabilities", "outputs"} & set(prediction)
    np.testing.assert_allclose(answer["heatmap"], explanation.heatmaps, rtol=0, atol=1e-5)
    np.testing.assert_allclose(answer["map"], explanation.maps, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(answer["class_index"], explanation.classes)
    np.testing.assert_allclose(answer["score"], explanation.scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answer["probability"], explanation.probabilities, atol=1e-5)
    assert [status.decode() for status in answer["status"]] == list(explanation.statuses)


@pytest.fixture(scope="module")
def methods(
    model: keras.Model, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Any, dict[str, Any]]]:
    """The same of each method, for photographs of the model's own size, decoded by the server."""
    base, photos = tmp_path_factory.mktemp("methods"), [photograph(seed=1), photograph(seed=2)]
    request = {"image_bytes": files(*map(png, photos)), "class_index": np.int32([2, 0])}
    found = {}
    for name in DRAWN:
        explainer = Explainer(model, name)
        served = Served(exported(explainer, base / name, colormap="viridis", alpha=0.3))
        found[name] = explainer(np.float32(photos), [2, 0]), served("explain_bytes", **request)
    return found


@pytest.mark.parametrize("name", DRAWN)
def test_a_server_draws_every_method_pixel_for_pixel(name: str, methods: dict[str, Any]) -> None:
    explanation, answer = methods[name]
    np.testing.assert_allclose(answer["heatmap"], explanation.heatmaps, rtol=0, atol=1e-5)
    photos = np.stack([photograph(seed=1), photograph(seed=2)])
    drawn = np.stack([unpacked(picture) for picture in answer["overlay_bytes"]])
    np.testing.assert_array_equal(drawn, explanation.overlay(photos, colormap="viridis", alpha=0.3))


@proof  # files are decoded before any model, and every kind of model is asked with arrays
@pytest.mark.parametrize("name", ("nested_twice", "subclassed", "mixed_float16"))
def test_files_are_answered_by_every_kind(name: str, tmp_path: Path) -> None:
    specimen = zoo.KINDS[name]()
    explainer = GradCAM(specimen.model, specimen.layer, **specimen.options)
    photo = photograph(*specimen.inputs.shape[1:3])
    explanation = explainer(np.float32(photo)[None])
    served = Served(exported(explainer, tmp_path, example=specimen.inputs))
    request = {"image_bytes": files(png(photo))}
    answer = served("explain_bytes", **request)
    prediction = served("serving_default_bytes", **request)
    np.testing.assert_allclose(answer["heatmap"], explanation.heatmaps, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(
        unpacked(answer["overlay_bytes"][0]), explanation.overlay(photo[None])[0]
    )
    np.testing.assert_allclose(prediction["probabilities"], answer["probabilities"], atol=1e-5)


def test_predictions_are_the_models_own(model: keras.Model, served: Served) -> None:
    images = zoo.images(*SIZE, batch=5) * 50 + 100
    wanted = model.predict(images, verbose=0)
    for name, request in (("serving_default", {}), ("explain", {"class_index": np.int32([-1])})):
        answer = served(name, image=images, **request)
        np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-6)
        np.testing.assert_array_equal(answer["class_index"], wanted.argmax(1))
        assert [each.decode() for each in answer["class_name"]] == [
            CLASS_NAMES[index] for index in wanted.argmax(1)
        ]


def test_the_class_may_be_left_out_or_one_for_all(model: keras.Model, served: Served) -> None:
    images = zoo.images(*SIZE) * 50 + 100
    predicted = GradCAM(model, ["first", "last"])(images)
    np.testing.assert_array_equal(served("explain", image=images)["class_index"], predicted.classes)
    asked = served("explain", image=images, class_index=np.int32([1]))
    wanted = GradCAM(model, ["first", "last"])(images, 1)
    np.testing.assert_array_equal(asked["class_index"], [1, 1, 1])
    np.testing.assert_allclose(asked["heatmap"], wanted.heatmaps, rtol=0, atol=1e-5)
    for place, maps in enumerate(wanted.maps):
        np.testing.assert_allclose(asked[f"map_{place}"], maps, rtol=1e-4, atol=1e-6)


def test_a_frozen_export_holds_no_variables(model: keras.Model, tmp_path: Path) -> None:
    explainer = GradCAM(model, freeze=True)
    folder = exported(explainer, tmp_path)
    images = zoo.images(*SIZE) * 50 + 100
    answer = Served(folder)("explain", image=images)
    np.testing.assert_allclose(answer["heatmap"], explainer(images).heatmaps, rtol=0, atol=1e-5)
    weights = sum(weight.numpy().nbytes for weight in model.weights)
    assert sum(file.stat().st_size for file in (folder / "variables").iterdir()) < weights


def test_a_model_of_several_outputs_is_frozen(tmp_path: Path) -> None:
    """A target that takes all outputs leaves no one of them to answer as the predictions."""
    inputs = keras.Input((8, 8, 3))
    features = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="last")(inputs))
    outputs = [layers.Dense(2, name="one")(features), layers.Dense(3, name="two")(features)]
    network = keras.Model(inputs, outputs)

    def difference(outputs: Any, classes: Any) -> Any:
        return outputs[0][:, 1] - outputs[1][:, 2]

    images, classes = zoo.images(8, 8), np.int32([0])
    answer = Served(exported(HiResCAM(network, target=difference, freeze=True), tmp_path))(
        "explain", image=images, class_index=classes
    )
    wanted = HiResCAM(network, target=difference)(images, 0)
    np.testing.assert_allclose(answer["score"], wanted.scores, rtol=1e-4)
    np.testing.assert_allclose(answer["heatmap"], wanted.heatmaps, rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------ photographs


def saved(photo: np.ndarray, kind: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def sixteen_bit(photo: np.ndarray) -> bytes:
    return cv2.imencode(".png", photo[..., ::-1].astype(np.uint16) * 257)[1].tobytes()


PHOTO = photograph(60, 90)
ENCODED = {
    "PNG": png(PHOTO),
    "PNG with alpha": saved(PHOTO, "PNG", "RGBA"),
    "PNG of 16 bits": sixteen_bit(PHOTO),
    "WebP without loss": saved(PHOTO, "WEBP", lossless=True),
    "WebP": saved(PHOTO, "WEBP", quality=90),
    "JPEG": saved(PHOTO, "JPEG", quality=95),
    "grey JPEG": saved(PHOTO, "JPEG", "L"),
    "JPEG of four inks": saved(PHOTO, "JPEG", "CMYK"),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_every_format_is_fitted_as_the_command_line_fits_it(kind: str, served: Served) -> None:
    """The photograph of any format is the one that OpenCV decodes, pixel for pixel."""
    from kerascam.pictures.fitting import resize

    if kind.startswith("WebP") and not hasattr(tf.io, "decode_webp"):
        pytest.skip("this TensorFlow reads no WebP")
    data = ENCODED[kind]
    photo = unpacked(data)
    fitted = np.float32(resize(photo, SIZE))[None]
    wanted = served("explain", image=fitted)
    answer = served("explain_bytes", image_bytes=files(data))
    # OpenCV and TensorFlow round WebP's colours, and those of inks, differently.
    lossy = kind in ("WebP", "JPEG of four inks")
    np.testing.assert_allclose(
        answer["probabilities"], wanted["probabilities"], atol=5e-3 if lossy else 1e-5
    )
    atol = 0.05 if lossy else 1e-5
    np.testing.assert_allclose(answer["heatmap"], wanted["heatmap"], rtol=0, atol=atol)
    drawn = unpacked(answer["overlay_bytes"][0])
    expected = kerascam.overlay(photo, answer["heatmap"][0])
    if lossy:
        assert np.abs(drawn.astype(int) - expected).max() <= 6
    else:
        np.testing.assert_array_equal(drawn, expected)


def test_photographs_of_many_sizes_go_in_one_batch(served: Served) -> None:
    photos = [photograph(24, 32), photograph(10, 200), photograph(100, 20), photograph(1, 1)]
    together = served("explain_bytes", image_bytes=files(*map(png, photos)))
    for place, photo in enumerate(photos):
        alone = served("explain_bytes", image_bytes=files(png(photo)))
        np.testing.assert_allclose(
            together["heatmap"][place], alone["heatmap"][0], rtol=0, atol=1e-5
        )
        drawn = unpacked(together["overlay_bytes"][place])
        np.testing.assert_array_equal(drawn, kerascam.overlay(photo, together["heatmap"][place]))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("note", range(1, 9))
def test_a_camera_held_askew_is_turned_upright(note: int, order: str, served: Served) -> None:
    """OpenCV turns by the same note, and decodes JPEG alike, pixel for pixel."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x0112] = "a maker", note
    data = saved(PHOTO, "JPEG", quality=95, exif=exif)
    photo = unpacked(data)
    answer = served("explain_bytes", image_bytes=files(data))
    drawn = unpacked(answer["overlay_bytes"][0])
    np.testing.assert_array_equal(drawn, kerascam.overlay(photo, answer["heatmap"][0]))


def test_a_damaged_note_of_orientation_is_no_note() -> None:
    from kerascam.exporting.orientation import orientation

    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(PHOTO, "JPEG", exif=exif)
    start = data.index(b"Exif\0\0")
    assert orientation(tf.constant(data)).numpy() == 6
    for cut in range(start, start + 40):
        assert 1 <= int(orientation(tf.constant(data[:cut]))) <= 6
        damaged = data[:cut] + b"\xff" + data[cut + 1 :]
        assert 1 <= int(orientation(tf.constant(damaged))) <= 8
    assert orientation(tf.constant(b"")).numpy() == 1


@pytest.fixture(scope="module")
def bilinear(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Photographs are resized bilinearly, and overlays are small."""
    folder = tmp_path_factory.mktemp("bilinear")
    return Served(exported(GradCAM(model), folder, resize="bilinear", overlay_side=30))


@pytest.fixture(scope="module")
def cropped(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The middle of each photograph is resized without aliases, and evidence against is drawn."""
    explainer, folder = HiResCAM(model, normalize="signed"), tmp_path_factory.mktemp("cropped")
    return Served(exported(explainer, folder, fit="crop", resize="antialias"))


def test_an_overlay_is_no_longer_than_asked(bilinear: Served) -> None:
    photos = [photograph(60, 90), photograph(30, 11), photograph(7, 400)]
    answer = bilinear("explain_bytes", image_bytes=files(*map(png, photos)))
    sizes = [(20, 30), (30, 11), (1, 30)]
    for place, (height, width) in enumerate(sizes):
        shrunk = cv2.resize(photos[place], (width, height), interpolation=cv2.INTER_AREA)
        wanted = kerascam.overlay(shrunk, answer["heatmap"][place])
        drawn = unpacked(answer["overlay_bytes"][place])
        assert np.abs(drawn.astype(int) - wanted).max() <= 1  # areas are rounded in another way
    assert (drawn.shape[:2]) == (1, 30)


def test_the_middle_is_cropped(cropped: Served) -> None:
    """As `kerascam explain --fit crop` does: the picture shows what the model saw."""
    from kerascam.pictures.fitting import crop

    for photo in (photograph(50, 100), photograph(99, 31), photograph(24, 32)):
        answer = cropped("explain_bytes", image_bytes=files(png(photo)))
        wanted = kerascam.overlay(crop(photo, SIZE), answer["heatmap"][0], signed=True)
        np.testing.assert_array_equal(unpacked(answer["overlay_bytes"][0]), wanted)


def test_photographs_become_grey_and_preprocessed(tmp_path: Path) -> None:
    grey = network((None, None), channels=1)
    folder = exported(
        GradCAM(grey), tmp_path, preprocess=lambda pixels: pixels / 127.5 - 1, size=(30, 40)
    )
    photo = photograph(30, 40)
    values = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[None, ..., None].astype(np.float32)
    wanted = GradCAM(grey)(values / 127.5 - 1)
    answer = Served(folder)("explain_bytes", image_bytes=files(png(photo)))
    np.testing.assert_allclose(answer["probability"], wanted.probabilities, atol=1e-4)
    assert answer["heatmap"].shape == (1, 30, 40)


def test_photographs_are_resized_as_in_training(
    bilinear: Served, cropped: Served, model: keras.Model
) -> None:
    # The second has the model's proportions: all of it is its middle.
    for served, photo, antialias in (
        (bilinear, photograph(100, 77), False),
        (cropped, photograph(96, 128), True),
    ):
        fitted = tf.image.resize(photo, SIZE, antialias=antialias)
        answer = served("serving_default_bytes", image_bytes=files(png(photo)))
        wanted = model.predict(fitted[None], verbose=0)
        np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-6)


def test_a_signed_map_is_drawn_on_both_sides(cropped: Served, model: keras.Model) -> None:
    photo = photograph()
    explanation = HiResCAM(model, normalize="signed")(np.float32(photo)[None])
    assert (explanation.heatmaps < 0).any()
    answer = cropped("explain_bytes", image_bytes=files(png(photo)))
    np.testing.assert_array_equal(
        unpacked(answer["overlay_bytes"][0]), explanation.overlay(photo[None])[0]
    )


def test_channels_may_come_first(tmp_path: Path) -> None:
    specimen = zoo.KINDS["channels_first_pointwise"]()
    explainer = GradCAM(specimen.model, specimen.layer, **specimen.options)
    height, width = specimen.inputs.shape[2:]
    photo = photograph(height, width)
    explanation = explainer(np.moveaxis(np.float32(photo), -1, 0)[None])
    answer = Served(exported(explainer, tmp_path))("explain_bytes", image_bytes=files(png(photo)))
    np.testing.assert_allclose(answer["heatmap"], explanation.heatmaps, rtol=0, atol=1e-5)


# -------------------------------------------------------------------------------------- mistakes


def huge(kind: str) -> bytes:
    """A file of a few bytes that claims more than two thousand million pixels."""
    side = 50_000
    big, little = side.to_bytes(4, "big"), side.to_bytes(4, "little")
    return {
        "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + big + big + b"\x08\x02\0\0\0" + bytes(50),
        "WebP": b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + little[:3] * 2 + bytes(50),
        "JPEG": ENCODED["JPEG"].replace(
            b"\x08" + (60).to_bytes(2, "big") + (90).to_bytes(2, "big"), b"\x08" + b"\xc3\x50" * 2
        ),
    }[kind]


@pytest.mark.parametrize("kind", ("PNG", "WebP", "JPEG"))
def test_a_decompression_bomb_is_refused_by_its_header(kind: str, served: Served) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"claims 2500\d+ pixels; at most 500"):
        served("explain_bytes", image_bytes=files(huge(kind)))


NO_IMAGES = {
    "nothing": b"",
    "text": b"junk",
    "zeros": bytes(100),
    "cut": ENCODED["PNG"][:200],
    "begun": b"\xff\xd8",
    # Of formats whose headers do not bound what a decoder makes of them.
    "GIF": saved(PHOTO, "GIF"),
    "BMP": saved(PHOTO, "BMP"),
}


@pytest.mark.parametrize("data", NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_is_refused(data: bytes, served: Served) -> None:
    for name in ("serving_default_bytes", "explain_bytes"):
        with pytest.raises(tf.errors.InvalidArgumentError):
            served(name, image_bytes=files(ENCODED["PNG"], data))


@pytest.mark.parametrize("wrong", (3, -2, 2**31 - 1))
def test_a_class_out_of_range_is_refused(wrong: int, served: Served) -> None:
    images = zoo.images(*SIZE)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"class_index must be from 0 to 2"):
        served("explain", image=images, class_index=np.int32([0, wrong, 1]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resize": "lanczos"}, "resize must be one of 'area', 'bilinear', 'antialias'"),
        ({"fit": "squeeze"}, "fit must be 'stretch' or 'crop', not 'squeeze'"),
        ({"alpha": 2}, "alpha must be between 0 and 1, got 2"),
        ({"colormap": "virids"}, "no colormap 'virids'; did you mean viridis"),
        ({"preprocess": "resnet5"}, "no 'resnet5'; did you mean resnet"),
        ({"size": (0, 10)}, "size must be at least 1, got 0"),
        (
            {"version": 2**63},
            "version must be from 1 to 9223372036854775807, got 9223372036854775808",
        ),
        ({"size": (10, 10)}, r"size=\(10, 10\) does not fit the model.* 24×32"),
        ({"max_pixels": 0}, "max_pixels must be at least 1, got 0"),
        ({"max_request_pixels": 0}, "max_request_pixels must be at least 1, got 0"),
        ({"max_files": 2**31}, "max_files must be at most 2147483647, got 2147483648"),
        ({"overlay_side": 0}, "overlay_side must be at least 1, got 0"),
        ({"version": 0}, "version must be from 1 to 9223372036854775807, got 0"),
        ({"example": np.zeros((1, 3, 3, 3))}, "example must have shape"),
    ],
)
def test_wrong_arguments_leave_nothing_behind(
    arguments: dict[str, Any], message: str, tmp_path: Path, model: keras.Model
) -> None:
    with pytest.raises(ValueError, match=message):
        export(GradCAM(model), tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_only_an_explainer_is_exported(model: keras.Model, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="explainer"):
        export(model, tmp_path)
    with pytest.raises(ValueError, match="class_names must name the model's 3 classes"):
        export(GradCAM(model, class_names=["one"]), tmp_path)


def test_a_folder_is_wanted(model: keras.Model, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ValueError, match="is a file; give the folder of the model's versions"):
        export(GradCAM(model), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_found_out_before_the_work(
    model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerascam.exporting.saved_model.settle", lambda *_, **__: pytest.fail())
    (tmp_path / "file").write_text("kept")
    message = r"path='.*models' cannot be written to: '.*file' is a file and holds no folders"
    with pytest.raises(NotADirectoryError, match=message):
        export(GradCAM(model), tmp_path / "file" / "models")
    with pytest.raises(ValueError, match="path must have no part of more than 255 bytes, not"):
        export(GradCAM(model), tmp_path / ("x" * 300))
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(PermissionError, match="cannot be written to: folder '.*' is read-only"):
        export(GradCAM(model), tmp_path / "new" / "models")
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("kilobytes", wide((100,), (1, 100)))
def test_a_full_disk_leaves_nothing_behind(
    kilobytes: int, model: keras.Model, tmp_path: Path
) -> None:
    """The weights do not fit, or the graph does not; no file may grow longer than this."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, hard))
    try:
        with pytest.raises(
            OSError, match=r"^path='.*models' cannot be written to: File too large$"
        ):
            export(GradCAM(model), tmp_path / "new" / "models")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def no_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Export nothing: for tests of the folders alone."""

    def write(model: Any, folder: Path, endpoints: Any) -> None:
        folder.mkdir()
        (folder / "saved_model.pb").touch()

    monkeypatch.setattr("kerascam.exporting.saved_model.make_endpoints", lambda *_: {})
    monkeypatch.setattr("kerascam.exporting.saved_model.write_saved_model", write)
    monkeypatch.setattr("kerascam.exporting.saved_model.run_in_session", lambda *_: None)


@pytest.mark.usefixtures("no_graphs")
@pytest.mark.parametrize("stop", (KeyboardInterrupt(), OSError(28, "No space left on device")))
def test_an_interrupted_export_leaves_nothing_behind(
    stop: BaseException, model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(folder: Path, *_: Any) -> None:
        assert (folder / "saved_model.pb").exists()
        raise stop

    monkeypatch.setattr("kerascam.exporting.saved_model.run_in_session", stops)
    with pytest.raises(type(stop)):
        export(GradCAM(model), tmp_path / "new" / "models")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_graphs")
def test_what_a_killed_export_left_is_removed(model: keras.Model, tmp_path: Path) -> None:
    left, recent = tmp_path / f".{'0' * 32}.tmp", tmp_path / f".{'1' * 32}.tmp"
    theirs = tmp_path / ".my-notes-of-last-year-in-words.1.tmp"
    for folder in (left, recent, theirs):
        folder.mkdir()
    os.utime(left, (0, 0)), os.utime(theirs, (0, 0))
    assert len(theirs.name) == len(left.name)
    export(GradCAM(model), tmp_path, warm_up=False)
    assert sorted(child.name for child in tmp_path.iterdir()) == [recent.name, theirs.name, "1"]
    assert not (tmp_path / "1" / WARM_UP).exists()


@pytest.mark.skipif(
    zoo.KERAS_VERSION < (3, 11),
    reason="Keras before 3.11 flattens no batch whose size and lengths are both open",
)
def test_a_subclassed_model_of_one_size_is_exported(tmp_path: Path) -> None:
    """Its weights fit no other length than the one that it was built with."""

    class Signals(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv1D(4, 3, activation="relu")
            self.flatten, self.head = layers.Flatten(), layers.Dense(2, "softmax")

        def call(self, signals: Any) -> Any:
            return self.head(self.flatten(self.conv(signals)))

    signals = zoo.images(50, channels=2)
    network = zoo.built(Signals(), signals)
    explainer = GradCAM(network)
    answer = Served(exported(explainer, tmp_path))("explain", image=signals)
    np.testing.assert_allclose(answer["heatmap"], explainer(signals).heatmaps, rtol=0, atol=1e-5)


def test_inputs_get_names_that_requests_can_hold(tmp_path: Path) -> None:
    names = ("left-eye", "left eye", "class_index", "2nd", "class", "self")
    inputs = [keras.Input((8, 9, 1), name=name) for name in names]
    features = layers.Conv2D(3, 3, activation="relu")(layers.Concatenate()(inputs))
    outputs = layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(features))
    network = keras.Model(dict(zip(names, inputs, strict=True)), outputs)
    values = {name: zoo.images(8, 9, channels=1, seed=n) for n, name in enumerate(names)}
    explainer = GradCAM(network)
    folder = exported(explainer, tmp_path)
    served = Served(folder)
    manifest = json.loads((folder / "assets" / "manifest.json").read_text(encoding="utf-8"))
    request = {name: values[form["name"]] for name, form in manifest["inputs"].items()}
    assert sorted(request) == [
        "class_index_", "input_2nd", "input_class", "left_eye", "left_eye_", "self_"
    ]  # fmt: skip
    np.testing.assert_allclose(
        served("explain", **request)["heatmap"], explainer(values).heatmaps, rtol=0, atol=1e-5
    )


def test_a_model_that_does_not_say_what_it_takes_needs_an_example(tmp_path: Path) -> None:
    specimen = zoo.KINDS["inputs_in_dict_subclassed"]()
    explainer = GradCAM(specimen.model, specimen.layer)
    with pytest.raises(ValueError, match=r"example must be given: model .* does not say"):
        export(explainer, tmp_path)


# --------------------------------------------------------------------------- the version's folder


@pytest.mark.usefixtures("no_graphs")
def test_versions_are_counted_and_never_half_there(
    model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "scenes"
    assert export(GradCAM(model), base) == base / "1"
    assert export(GuidedBackprop(model), base, version=7) == base / "7"
    (base / "notes").mkdir()
    assert export(LayerCAM(model), base) == base / "8"
    with pytest.raises(ValueError, match=r"version=7 is in .* already; leave it out"):
        export(GradCAM(model), base, version=7)

    def fails(*_: Any) -> None:
        raise RuntimeError("the exported model does not run in a session")

    monkeypatch.setattr("kerascam.exporting.saved_model.run_in_session", fails)
    with pytest.raises(RuntimeError, match="does not run"):
        export(GradCAM(model), base)
    assert sorted(child.name for child in base.iterdir()) == ["1", "7", "8", "notes"]


@pytest.mark.usefixtures("no_graphs")
def test_after_the_highest_version_there_is_no_next(
    model: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / str(2**63 - 1)).mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("kerascam.exporting.saved_model.settle", lambda *_, **__: pytest.fail())
        with pytest.raises(
            ValueError,
            match="holds version 9223372036854775807, the highest .* so "
            "there is no next one; give version=, or another",
        ):
            export(GradCAM(model), tmp_path)
    assert export(GradCAM(model), tmp_path, version=5, warm_up=False).name == "5"


@pytest.mark.parametrize(
    ("names", "next_one"),
    [
        ((), "1"),
        (("00012",), "13"),
        (("٣", "²", "-4", "+9", "1.5", "7.tmp"), "1"),
        (("9" * 200, str(2**63), "2"), "3"),
        ((str(2**63 - 2),), str(2**63 - 1)),
    ],
)
def test_versions_are_counted_as_servers_count(
    names: tuple[str, ...], next_one: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    check_place(tmp_path, None)
    (tmp_path / "written").mkdir()
    assert put_in_place(tmp_path / "written", tmp_path, None).name == next_one


def test_a_number_that_is_taken_is_not_given_again(tmp_path: Path) -> None:
    (tmp_path / "0007").mkdir()
    (tmp_path / "8").write_text("a file")
    for version in (7, 8):
        with pytest.raises(ValueError, match=f"version={version} is in .* already"):
            check_place(tmp_path, version)
    (tmp_path / "written").mkdir()
    assert put_in_place(tmp_path / "written", tmp_path, None).name == "9"


def test_the_manifest_tells_what_was_exported(
    model: keras.Model, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    explainer = GradCAM(model, class_names=CLASS_NAMES, target=targets.probability)
    folder = exported(explainer, tmp_path, preprocess="0-1", alpha=0.25)
    text = (folder / "assets" / "manifest.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["target"] == "probability"
    assert content["method"] == "grad_cam"
    assert content["layer"] == "last"
    assert content["class_names"] == list(CLASS_NAMES)
    assert content["notes"] == list(explainer(255 * zoo.images(*SIZE)).notes)
    assert content["layers"] == ["last"]
    assert (content["signed"], content["scaled"]) == (False, True)
    (own,) = model.inputs
    assert content["inputs"] == {
        "image": {"name": own.name, "shape": [None, *SIZE, 3], "dtype": "float32"}
    }
    assert content["photographs"]["preprocess"] == "0-1"
    assert content["photographs"]["max_pixels"] == 50_000_000
    assert content["photographs"]["max_request_pixels"] == 200_000_000
    assert content["photographs"]["max_files"] == 128
    assert content["photographs"]["overlay"] == {
        "style": "heat", "colormap": "auto", "alpha": 0.25, "levels": None, "side": 256,
    }  # fmt: skip

    served = Served(folder)
    answered = served("manifest", index=np.int32([0, 0]))["manifest"]
    assert [each.decode() for each in answered] == [text, text]
    for name in ("explain", "serving_default"):
        found = served(name, image=zoo.images(*SIZE))["manifest_id"]
        assert {each.decode() for each in found} == {manifest_id(text)}
    request.getfixturevalue("no_graphs")
    again = export(explainer, tmp_path, preprocess="0-1", alpha=0.25)
    assert (again / "assets" / "manifest.json").read_text(encoding="utf-8") != text


def test_warm_up_requests_are_ones_that_the_server_can_answer(served: Served) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    asked = []
    for record in tf.data.TFRecordDataset(str(served.folder / WARM_UP)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "colors"
        values = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        served(request.model_spec.signature_name, **values)
        asked.append(request.model_spec.signature_name)
    assert sorted(asked) == sorted(set(served.signatures) - {"__saved_model_init_op"})


@proof  # the export of the command line draws outlines, and test_painter compares all styles
@pytest.mark.parametrize("style", ("heat", "uniform", "outline"))
def test_a_server_draws_every_style_pixel_for_pixel(
    model: keras.Model, tmp_path: Path, style: str
) -> None:
    photo = photograph(seed=1)
    look: dict[str, Any] = {"style": style, "levels": [0.3, 0.6] if style == "outline" else None}
    explainer = GradCAM(model, normalize="signed")
    folder = exported(explainer, tmp_path, warm_up=False, **look)
    answer = Served(folder)("explain_bytes", image_bytes=files(png(photo)))
    wanted = overlay(photo, answer["heatmap"][0], signed=True, **look)
    np.testing.assert_array_equal(unpacked(answer["overlay_bytes"][0]), wanted)
