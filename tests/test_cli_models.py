"""Model files that nobody here wrote: damaged, bombs, of Keras 2, in need of trust."""

import copy
import io
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from proofs import wide

from kerascam import GradCAM
from kerascam.cli import main, models

Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """What a small .keras file holds."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(3, 3, activation="relu", name="last"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, name="head"),
        ]
    )
    path = tmp_path_factory.mktemp("model") / "small.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, parts: Parts, compression: int = zipfile.ZIP_STORED) -> str:
    with zipfile.ZipFile(name, "w", compression) as archive:
        for member, content in parts.items():
            archive.writestr(member, content)
    return name


def layers_of(parts: Parts) -> Any:
    config = json.loads(parts["config.json"])
    return config, config["config"]["layers"]


def with_config(parts: Parts, config: Any) -> Parts:
    return parts | {"config.json": json.dumps(config).encode()}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run `layers` on a file that cannot be loaded; give its one line."""
    assert main(["layers", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("kerascam: error: ")
    assert "bug in kerascam" not in captured.err
    return captured.err[len("kerascam: error: ") : -1]


# ------------------------------------------------------------------------------------- damaged


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda good: good[:-100], "is not a Keras model, or a damaged one: it is not a .keras"),
        (lambda good: b"", "is not a Keras model, or a damaged one: it is not a .keras archive"),
        (lambda good: flip(good, len(good) // 2), "model.weights.h5 is not what was written"),
        (lambda good: flip(good, good.index(b"Conv2D")), "config.json is not what was written"),
        (lambda good: flip(good, good.rindex(b"PK\1\2") + 10), "m.keras is damaged: "),
        (lambda good: flip(good, good.index(b"PK\1\2") + 8), "m.keras is encrypted, which Keras"),
        (
            lambda good: (
                (place := good.rindex(b"PK\1\2") + 10)
                and good[:place] + b"\x63\0" + good[place + 2 :]
            ),
            "m.keras is damaged: That compression method is not supported",
        ),
    ],
    ids=["truncated", "empty", "weights", "config", "method", "encrypted", "unknown method"],
)
def test_a_damaged_archive(
    parts: Parts,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[bytes], bytes],
    message: str,
) -> None:
    write("m.keras", parts)
    Path("m.keras").write_bytes(damage(Path("m.keras").read_bytes()))
    assert message in refused(capsys, "m.keras")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"[" * 200_000, "description of its layers is not valid JSON: nested too deeply"),
        (b'{"class_name":' * 100_000, "not valid JSON: nested too deeply"),
        (b"{", "the description of its layers is not valid JSON: Expecting property name"),
        (b"\xff\xfe", "the description of its layers is not valid JSON"),
        (b"[1, 2]", "m.keras is damaged: it does not describe a model's layers"),
        (b'{"class_name": "Sequential", "config": [1]}', "does not describe a model's layers"),
        (b" " * (33 * 2**20), "describes its layers in more than 32.0 MiB"),
    ],
)
def test_a_config_that_is_none(
    parts: Parts, capsys: pytest.CaptureFixture[str], config: bytes, message: str
) -> None:
    write("m.keras", parts | {"config.json": config}, zipfile.ZIP_DEFLATED)
    assert message in refused(capsys, "m.keras")


def test_weights_that_are_missing_or_of_other_shapes(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    write("m.keras", {name: parts[name] for name in ("config.json", "metadata.json")})
    assert "m.keras cannot be loaded: Expected a model.weights.h5" in refused(capsys, "m.keras")
    config, layers = layers_of(parts)
    layers[-1]["config"]["units"] = 5
    write("m.keras", with_config(parts, config))
    error = refused(capsys, "m.keras")
    assert "m.keras cannot be loaded: A total of 1 objects could not be loaded." in error
    assert "head" in error and "shape" in error


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_damaged_hdf5(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    keras.saving.load_model(write("m.keras", parts)).save("m.h5")
    whole = Path("m.h5").read_bytes()
    Path("m.h5").write_bytes(whole[: len(whole) // 2])
    assert "m.h5 is damaged: Unable to" in refused(capsys, "m.h5")
    Path("m.h5").write_bytes(whole)
    with h5py.File("m.h5", "r+") as file:
        file.attrs["model_config"] = "[" * 30_000
    assert "not valid JSON: nested too deeply" in refused(capsys, "m.h5")


@pytest.mark.parametrize("make", [os.mkfifo, lambda name: os.symlink("/dev/zero", name)])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_what_is_no_regular_file_is_not_read(
    capsys: pytest.CaptureFixture[str], make: Callable[[str], None]
) -> None:
    make("m.keras")
    assert refused(capsys, "m.keras") == "m.keras is not a Keras model: it is not a regular file"


def mutated(content: bytes, random_: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random_.choice([1, 2, 5, 20])):
        place = random_.randrange(len(changed))
        match random_.randrange(5):
            case 0:
                changed[place] ^= 1 << random_.randrange(8)
            case 1:
                changed[place] = random_.randrange(256)
            case 2:
                changed[place : place + 8] = b"\xff" * 8
            case 3:
                del changed[place : place + random_.randrange(1, 40)]
            case 4:
                changed[place:place] = random_.randbytes(random_.randrange(1, 20))
    return bytes(changed)


def test_whatever_is_in_a_file_ends_in_one_line(
    parts: Parts, capsys: pytest.CaptureFixture[str], seed: int = 3
) -> None:
    random_ = random.Random(seed)
    good = Path(write("good.keras", parts)).read_bytes()
    loaded, count = 0, wide(40, 120)
    for number in range(count):
        if number % 2:  # from outside, where checksums find it, and from inside, where none does
            Path("m.keras").write_bytes(mutated(good, random_))
        else:
            name = random_.choice(list(parts))
            write("m.keras", parts | {name: mutated(parts[name], random_)})
        code = main(["layers", "m.keras"])
        captured = capsys.readouterr()
        assert code in (0, 2)
        loaded += code == 0
        if code:
            assert captured.err.startswith("kerascam: error: m.keras "), captured.err
            assert captured.err.count("\n") == 1 and "\x1b" not in captured.err
    assert 0 < loaded < count / 2, "of changes within weights some are none that can be seen"


# --------------------------------------------------------------------------------------- bombs


def write_zeros(parts: Parts, member: str, size: int, compression: int) -> None:
    with zipfile.ZipFile("m.keras", "w", compression) as archive:
        for name, content in parts.items():
            if name != member:
                archive.writestr(name, content)
        with archive.open(member, "w", force_zip64=True) as file:
            for _ in range(size // 2**20):
                file.write(bytes(2**20))


@pytest.mark.parametrize(
    "member", wide(["config.json"], ["model.weights.h5", "config.json", "assets/notes"])
)
def test_a_bomb_is_seen_by_its_sizes(
    parts: Parts, capsys: pytest.CaptureFixture[str], member: str
) -> None:
    write_zeros(parts, member, 300 * 2**20, zipfile.ZIP_DEFLATED)
    error = refused(capsys, "m.keras")
    assert "and unpacks to 300.0 MiB, far more than a Keras model does" in error
    assert "if you trust it, unpack it into a folder and give the folder" in error


def test_an_archive_may_be_loaded_as_a_folder(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(write("m.keras", parts)) as archive:
        archive.extractall("unpacked")
    assert main(["layers", "unpacked"]) == 0
    assert "last" in capsys.readouterr().out


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_directory_that_lies_about_a_size_is_found_out(
    parts: Parts, capsys: pytest.CaptureFixture[str], compression: int
) -> None:
    write_zeros(parts, "model.weights.h5", 20 * 2**20, compression)
    content = bytearray(Path("m.keras").read_bytes())
    entry = content.rindex(b"PK\1\2")  # of the last member: its checksum, and its size
    struct.pack_into("<I", content, entry + 16, zlib.crc32(bytes(1000)))
    struct.pack_into("<I", content, entry + 24, 1000)
    Path("m.keras").write_bytes(content)
    with zipfile.ZipFile("m.keras") as archive:  # zipfile itself believes it
        assert archive.read("model.weights.h5") == bytes(1000)
    assert refused(capsys, "m.keras") == "m.keras is damaged: model.weights.h5 is not what was " + (
        "written"
    )


def test_arrays_that_no_file_can_hold(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    weights = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        del file["layers/dense/vars/0"]
        file.create_dataset("layers/dense/vars/0", (10**11,), "f4", chunks=(100,))
    write("m.keras", parts | {"model.weights.h5": weights.getvalue()})
    assert "and claims arrays of 372.5 GiB" in refused(capsys, "m.keras")


def test_layers_that_ask_for_more_weights_than_the_file_holds(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    config, layers = layers_of(parts)
    layers[-1]["config"]["units"] = 10**10
    write("m.keras", with_config(parts, config))
    add_weight = keras.layers.Layer.add_weight
    error = refused(capsys, "m.keras")
    assert "m.keras cannot be loaded: its layers ask for more than 111.8 GiB of weights" in error
    assert keras.layers.Layer.add_weight is add_weight


# ------------------------------------------------------------------------------------- Keras 2


def of_keras_2(parts: Parts) -> Parts:
    config, _ = layers_of(parts)
    config |= {"module": "tf_keras.src.engine.functional", "class_name": "Functional"}
    return with_config(parts, config) | {"metadata.json": b'{"keras_version": "2.15.0"}'}


def test_an_archive_of_keras_2(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    write("m.keras", of_keras_2(parts))
    error = refused(capsys, "m.keras")
    assert error.startswith("m.keras was saved by Keras 2 (2.15.0), whose .keras files Keras 3")
    assert "tf_keras.models.load_model('m.keras', compile=False).save('model.h5')" in error
    assert "--import" not in error
    write("m.keras", of_keras_2(parts) | {"metadata.json": b""})  # the module tells it too
    assert refused(capsys, "m.keras").startswith("m.keras was saved by Keras 2, whose")


def test_hdf5_of_keras_2_loads_if_keras_3_knows_its_layers(
    parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    _, layers = layers_of(parts)
    old = [{"class_name": each["class_name"], "config": each["config"]} for each in layers[1:]]
    for each in old:
        each["config"] = {
            key: value
            for key, value in each["config"].items()
            if key in ("name", "filters", "kernel_size", "activation", "units")
        }
    images = {"batch_input_shape": [None, 8, 8, 3], "dtype": "float32", "name": "images"}
    old.insert(0, {"class_name": "InputLayer", "config": images})

    def save(layers: list[Any]) -> None:
        with h5py.File("m.h5", "w") as file:
            config = {"class_name": "Sequential", "config": {"name": "old", "layers": layers}}
            file.attrs["model_config"] = json.dumps(config)
            file.attrs["keras_version"] = "2.4.0"
            weights = file.create_group("model_weights")
            weights.attrs["layer_names"] = [each["config"]["name"] for each in layers]
            for each in layers:
                group = weights.create_group(each["config"]["name"])
                shapes = {"last": [(3, 3, 3, 3), (3,)], "head": [(3, 3), (3,)]}
                own = shapes.get(each["config"]["name"], [])
                group.attrs["weight_names"] = [str(place) for place in range(len(own))]
                for place, shape in enumerate(own):
                    group[str(place)] = np.ones(shape, np.float32)

    save(old)
    assert main(["layers", "m.h5"]) == 0
    assert "last" in capsys.readouterr().out
    unknown = copy.deepcopy(old[2])
    unknown["class_name"] = "TFOpLambda"
    save([*old[:2], unknown, old[3]])
    error = refused(capsys, "m.h5")
    assert error.startswith("m.h5 was saved by Keras 2 (2.4.0), and Keras 3 cannot load it (it has")
    assert "'TFOpLambda'): build the model in Keras 3, call model.load_weights('m.h5')" in error
    assert "--import" not in error
    unknown["class_name"] = "Own"
    save([*old[:2], unknown, old[3]])
    error = refused(capsys, "m.h5")
    assert "Keras 2 (2.4.0) and needs the layer 'Own', which Keras 3 does not know" in error
    assert "give --import" in error


def test_a_saved_model_of_keras_2(capsys: pytest.CaptureFixture[str]) -> None:
    Path("saved").mkdir()
    Path("saved", "saved_model.pb").touch()
    assert "save the model as .keras where it was made" in refused(capsys, "saved")
    Path("saved", "keras_metadata.pb").touch()
    assert "Keras 2 wrote it, and after `pip install tf_keras`" in refused(capsys, "saved")


def test_a_model_object_of_keras_2(unchecked: None) -> None:
    old = type("Functional", (), {"__module__": "tf_keras.src.engine.functional", "name": "old"})
    with pytest.raises(TypeError, match="model 'old' is one of Keras 2 .tf_keras., and kerascam"):
        GradCAM(old())
    with pytest.raises(TypeError, match="model must be a keras.Model, not 3 of type int"):
        GradCAM(3)


# --------------------------------------------------------------------------------------- trust


def test_an_older_keras_loads_only_what_is_trusted(
    parts: Parts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "GUARDED_SINCE", (3, 11, 3))
    write("m.keras", parts)
    for version, refuses in [
        ("3.6.0", True), ("3.11.2", True), ("3.11", True), ("3.11.3", False),
        ("3.12.0.dev2025", False), ("4.0.0rc1", False),
    ]:  # fmt: skip
        monkeypatch.setattr(keras, "__version__", version)
        if refuses:
            error = refused(capsys, "m.keras")
            assert f"m.keras is not loaded: Keras {version} is installed, which may run" in error
            assert "fixed in 3.11.3" in error and "`pip install -U keras`" in error
            assert "give --unsafe if you trust where the file comes from" in error
        else:
            assert main(["layers", "m.keras"]) == 0
            capsys.readouterr()
    monkeypatch.setattr(keras, "__version__", "3.6.0")
    assert main(["layers", "m.keras", "--unsafe"]) == 0


@pytest.mark.skipif(
    tuple(map(int, keras.__version__.split(".")[:2])) < (3, 12),
    reason="it refuses fewer layers, and is itself refused",
)
def test_what_needs_trust_is_named(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = {"name": "asked", "dtype": "float32"}
    config, layers = layers_of(parts)
    module = {"module": "keras.layers", "registered_name": None}
    code = {"class_name": "__lambda__", "config": {"code": "", "defaults": None, "closure": None}}
    for name, own, message in [
        ("Lambda", {"function": code}, "Python code (a Lambda layer) in 'asked', which runs"),
        (
            "TFSMLayer",
            {"filepath": "saved", "call_endpoint": "serve", "call_training_endpoint": None},
            "a SavedModel (a TFSMLayer) in 'asked', a program that is read from 'saved' and run",
        ),
        (
            "StringLookup",
            {"vocabulary": "/etc/passwd", "invert": False, "num_oov_indices": 1},
            "the name of a file (a StringLookup layer) in 'asked', which is read on this machine: "
            "'/etc/passwd'",
        ),
    ]:
        changed = copy.deepcopy(config)
        layer = {"class_name": name, "config": inputs | own, **module}
        changed["config"]["layers"] = [layers[0], layer, *layers[1:]]
        error_at = write("m.keras", with_config(parts, changed))
        error = refused(capsys, error_at)
        assert error == (
            f"m.keras holds {message}: if you trust where the file comes from, give --unsafe, "
            f"which allows it"
        ) or (name == "Lambda" and message in error and "give --unsafe, which allows it" in error)
        assert ("Lambda" in error) == (name == "Lambda")
