"""A client's answers are the library's own, over REST and gRPC, whatever is asked and how."""

import threading

import keras
import numpy as np
import pytest
from ask_in_session import exported
from keras import layers
from model_servers import NAME, LibraryModel, decoded, encoded, grpc_server, loaded, rest_server
from proofs import pairs

import kerascam
from kerascam.serving import Client, Prediction, ServedExplanation, ServingError
from kerascam.signatures import EXPLAIN, MANIFEST

CLASS_NAMES = ("forest", "glacier", "sea")
RNG = np.random.default_rng(0)
IMAGES = RNG.random((5, 12, 16, 3)).astype(np.float32)
PHOTOS = [RNG.integers(0, 256, (size, 20, 3)).astype(np.uint8) for size in (14, 18, 22)]
FILES = [encoded(photo) for photo in PHOTOS]
SERVERS = {"REST": rest_server, "gRPC": grpc_server}


def network(head="softmax"):
    return keras.Sequential(
        [
            keras.Input((12, 16, 3)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.Conv2D(6, 3, strides=2, activation="relu", name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=3)),
            layers.Activation(head),
        ]
    )


@pytest.fixture(scope="module")
def explainer():
    keras.utils.set_random_seed(0)
    return kerascam.GradCAM(network(), class_names=CLASS_NAMES)


@pytest.fixture(scope="module")
def model(explainer):
    return LibraryModel(explainer, IMAGES)


@pytest.fixture(params=SERVERS)
def serve(request):
    """A server of either protocol, to be given what it serves."""
    return SERVERS[request.param]


@pytest.fixture
def server(serve, model):
    with serve(model) as running:
        yield running


def assert_same(found, expected):
    for name in ("heatmaps", "classes", "scores", "probabilities"):
        got, wanted = getattr(found, name), getattr(expected, name)
        assert got.dtype == wanted.dtype, name
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(found.predictions, expected.predictions, rtol=0, atol=1e-6)
    for name in (
        "layer",
        "layers",
        "method",
        "statuses",
        "class_names",
        "notes",
        "signed",
        "scaled",
    ):
        assert getattr(found, name) == getattr(expected, name), name


# --------------------------------------------------------------------------------- explanations


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_an_explanation_is_the_library_s(server, explainer, batch_size):
    with Client(server.url, NAME, batch_size=batch_size) as client:
        found = client.explain(IMAGES)
    expected = explainer(IMAGES)
    assert isinstance(found, ServedExplanation)
    assert_same(found, expected)
    np.testing.assert_array_equal(found.images, IMAGES)
    assert found.maps is None and found.overlays == ()
    everything = explainer.model.predict_on_batch(IMAGES)
    np.testing.assert_allclose(found.predictions, everything, atol=1e-6)
    np.testing.assert_array_equal(found.overlay(), expected.overlay())
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("classes", [2, "sea", [0, 1, 2, 1, 0], ["sea", "forest"] * 2 + ["sea"]])
def test_classes_by_index_and_name(server, explainer, classes):
    with Client(server.url, NAME, batch_size=2) as client:
        assert_same(client.explain(IMAGES, classes), explainer(IMAGES, classes))


def test_numbers_of_another_type_are_brought_to_the_model_s(server, explainer):
    bright = np.rint(IMAGES * 255).astype(np.uint8)
    with Client(server.url, NAME) as client:
        found = client.explain(bright)
        assert_same(found, explainer(bright))
        assert_same(client.explain(IMAGES.astype(np.float64)), explainer(IMAGES))


def test_requests_hold_batch_size_images(server):
    with Client(server.url, NAME, batch_size=2, concurrency=1) as client:
        client.explain(IMAGES)
        client.explain(IMAGES[:4])
    assert server.signatures() == [MANIFEST] + [EXPLAIN] * 5
    sizes = [len(inputs["image"]) for _, inputs, _ in server.asked[1:]]
    assert sizes == [2, 2, 1, 2, 2]
    assert [list(inputs["class_index"]) for _, inputs, _ in server.asked[3:5]] == [[-1], [-1, -1]]


@pytest.mark.parametrize(
    ("serve", "layer"), pairs(tuple(SERVERS), ("second", ["first", "second"])), indirect=["serve"]
)
def test_raw_maps_where_they_were_exported(serve, layer):
    explainer = kerascam.LayerCAM(network(), layer)
    with (
        serve(LibraryModel(explainer, IMAGES, raw_maps=True)) as server,
        Client(server.url, NAME, batch_size=2) as client,
    ):
        found, expected = client.explain(IMAGES), explainer(IMAGES)
    assert_same(found, expected)
    assert isinstance(found.maps, tuple) == isinstance(layer, list)
    for got, wanted in zip(found.maps, expected.maps, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-6)


def test_nan_arrives_as_such(serve):
    explainer = kerascam.GradCAM(network("linear"))
    with (
        serve(LibraryModel(explainer, IMAGES)) as server,
        Client(server.url, NAME) as client,
    ):
        found = client.explain(IMAGES)
    assert np.isnan(found.probabilities).all() and found.class_names is None
    assert_same(found, explainer(IMAGES))


def test_a_model_of_several_inputs(serve):
    left, right = keras.Input((12, 16, 3), name="left"), keras.Input((12, 16, 3), name="right-1")
    features = layers.Conv2D(4, 3, name="conv")(layers.Add()([left, 2 * right]))
    outputs = layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(features))
    explainer = kerascam.GradCAM(keras.Model([left, right], outputs), "conv")
    inputs = {"left": IMAGES, "right-1": IMAGES[::-1].copy()}
    with (
        serve(LibraryModel(explainer, inputs)) as server,
        Client(server.url, NAME, batch_size=2) as client,
    ):
        found = client.explain(inputs, 1)
        assert set(server.asked[-1][1]) == {"left", "right_1", "class_index"}
        assert_same(client.explain(list(inputs.values()), 1), found)
        as_sent = {"right_1": inputs["right-1"], "left": IMAGES}
        assert_same(client.explain(as_sent, 1), found)
        np.testing.assert_array_equal(client.predict(inputs).classes, client.predict(as_sent)[1])
        with pytest.raises(ValueError, match=r"input names \['left', 'right-1'\] as keys"):
            client.explain({"left": IMAGES})
    assert_same(found, explainer(inputs, 1))
    np.testing.assert_array_equal(found.images, IMAGES)


@pytest.fixture(scope="module")
def served_model(explainer, tmp_path_factory):
    return loaded(exported(explainer, tmp_path_factory.mktemp(NAME), preprocess="0-1"))


def test_a_model_that_was_exported(serve, served_model, explainer):
    small = PHOTOS[0][:12, :16]  # of the model's own size: nothing is resized
    with serve(served_model) as server, Client(server.url, NAME, batch_size=2) as client:
        client.wait_until_ready()
        assert_same(client.explain(IMAGES, "sea"), explainer(IMAGES, "sea"))
        of_files = client.explain([encoded(small), *FILES])
        with pytest.raises(ServingError, match=r"^images\[1\]: .*not a complete image"):
            client.explain([FILES[0], b"no image"])
    assert_same(of_files[0], explainer(small[None] / np.float32(255)))
    for place, photo in enumerate([small, *PHOTOS]):
        drawn = of_files[place].overlay(photo[None])[0].astype(int)
        assert np.abs(decoded(of_files.overlays[place]) - drawn).max() <= 1


# ---------------------------------------------------------------------------------------- files


def test_files_as_bytes_and_paths(server, explainer, tmp_path):
    (tmp_path / "last.png").write_bytes(FILES[2])
    with Client(server.url, NAME, batch_size=2) as client:
        found = client.explain([FILES[0], FILES[1], tmp_path / "last.png"], "sea")
        alone = client.explain([str(tmp_path / "last.png")], "sea")
    assert found.images is None and len(found) == 3
    assert [decoded(file).shape for file in found.overlays] == [photo.shape for photo in PHOTOS]
    for place, photo in enumerate(PHOTOS):
        drawn = found[place].overlay(photo[None])[0]
        np.testing.assert_array_equal(decoded(found.overlays[place]), drawn)
    assert_same(alone, found[2])
    assert alone.overlays == found.overlays[2:]


def test_a_part_has_its_own_overlays(server):
    with Client(server.url, NAME) as client:
        found = client.explain(FILES)
    assert found[-1].overlays == found.overlays[2:] == found[2].overlays
    part = found[::2]
    assert part.overlays == found.overlays[::2]
    np.testing.assert_array_equal(part.predictions, found.predictions[::2])
    assert type(part) is ServedExplanation and part.manifest_id == found.manifest_id


def test_a_bad_file_is_named(server, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    files = [FILES[0], tmp_path / "bad.png", FILES[1], b"", FILES[2]]
    with Client(server.url, NAME, batch_size=8) as client:
        with pytest.raises(
            ServingError, match=r"bad.png': .*no image; and so for images\[3\]"
        ) as e:
            client.explain(files)
        assert e.value.code in (400, "INVALID_ARGUMENT")
        assert e.value.reason == "image_bytes[0] is no image"
        with pytest.raises(ServingError, match=r"^images\[4\]: "):
            client.predict([*FILES, FILES[0], b"no image"])
        with pytest.raises(FileNotFoundError, match="missing.png"):
            client.explain([FILES[0], tmp_path / "missing.png"])


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_explaining_each_loses_nothing_to_a_bad_file(server, tmp_path, batch_size):
    missing = tmp_path / "missing.png"
    files = [FILES[0], b"no image", FILES[1], missing, FILES[2]]
    with Client(server.url, NAME, batch_size=batch_size) as client:
        expected = client.explain(FILES, ["sea", "glacier", "forest"])
        classes = ["sea", "sea", "glacier", "sea", "forest"]
        found = list(client.explain_each(files, classes))
    assert [file for file, _ in found] == files
    outcomes = [outcome for _, outcome in found]
    assert isinstance(outcomes[1], ServingError) and isinstance(outcomes[3], FileNotFoundError)
    for place, outcome in enumerate(outcomes[::2]):
        assert_same(outcome, expected[place])
        assert outcome.overlays == expected[place].overlays


def test_explaining_each_is_checked_at_once(server, unchecked):
    with Client(server.url, NAME) as client:
        assert list(client.explain_each([])) == []
        with pytest.raises(ValueError, match="'seas', which is not one of the class names"):
            client.explain_each(FILES, "seas")
        with pytest.raises(TypeError, match="put it in a list"):
            client.explain_each("photo.png")
        with pytest.raises(TypeError, match=r"all files.*images\[1\] is of type ndarray"):
            client.explain_each([FILES[0], IMAGES[0]])
        with pytest.raises(TypeError, match=r"images\[1\] is of type ndarray"):
            client.explain([FILES[0], IMAGES[0]])
        with pytest.raises(TypeError, match="put it in a list"):
            client.explain(FILES[0])


# ---------------------------------------------------------------------- predictions and the rest


def test_predictions(server, explainer):
    expected = explainer.model.predict_on_batch(IMAGES)
    with Client(server.url, NAME, batch_size=2) as client:
        found = client.predict(IMAGES)
        of_files = client.predict(FILES)
    assert isinstance(found, Prediction) and found.outputs is None
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(found.classes, expected.argmax(-1))
    assert found.class_names == tuple(CLASS_NAMES[index] for index in expected.argmax(-1))
    assert of_files.probabilities.shape == (3, 3)


def test_a_model_without_probabilities_gives_its_outputs(serve, model):
    def answer(signature, inputs):
        found = model(signature, inputs)
        if signature == "serving_default":
            kept = {name: found[name] for name in ("class_index", "manifest_id")}
            found = kept | {"outputs": found["probabilities"]}
        return found

    with serve(answer) as server, Client(server.url, NAME) as client:
        found = client.predict(IMAGES)
    assert found.probabilities is None and found.class_names is None
    assert found.outputs.shape == (5, 3)


def test_the_manifest(server):
    with Client(server.url, NAME) as client:
        facts = client.manifest()
    assert facts["method"] == "grad_cam" and facts["class_names"] == list(CLASS_NAMES)
    assert facts["layer"] == "second"


def test_the_status(server):
    server.states = {3: "AVAILABLE", 2: "UNLOADING"}
    with Client(server.url, NAME) as client:
        assert client.status() == [(3, "AVAILABLE"), (2, "UNLOADING")]


def test_one_version_and_headers(serve, model, explainer):
    with (
        serve(model) as server,
        Client(server.url, NAME, version=1, headers={"X-Key": "open"}) as client,
    ):
        assert_same(client.explain(IMAGES), explainer(IMAGES))
        metadata = {name.lower(): value for name, value in server.asked[-1][2].items()}
    assert metadata["x-key"] == "open"


# ------------------------------------------------------------------------------- side by side


def test_so_many_requests_are_under_way_and_no_more(serve, model, explainer):
    three, lock = threading.Barrier(3, timeout=60), threading.Lock()
    inside = most = 0

    def answer(signature, inputs):
        nonlocal inside, most
        if signature == "manifest":
            return model(signature, inputs)
        with lock:
            inside += 1
            most = max(most, inside)
        three.wait()  # broken, and an error, unless three are here together
        found = model(signature, inputs)
        with lock:
            inside -= 1
        return found

    images = np.concatenate([IMAGES, IMAGES[:4]])
    with serve(answer) as server, Client(server.url, NAME, batch_size=1, concurrency=3) as client:
        found = client.explain(images)
    assert most == 3
    assert_same(found, explainer(images))


def test_order_is_kept_whoever_is_first(serve, model, explainer):
    second_is_done = threading.Event()

    def answer(signature, inputs):
        if signature == "manifest":
            return model(signature, inputs)
        if np.array_equal(inputs["image"][0], IMAGES[0]):
            assert second_is_done.wait(60)
        found = model(signature, inputs)
        if np.array_equal(inputs["image"][0], IMAGES[1]):
            second_is_done.set()
        return found

    with serve(answer) as server, Client(server.url, NAME, batch_size=1, concurrency=2) as client:
        assert_same(client.explain(IMAGES), explainer(IMAGES))


def test_threads_share_a_client(server, explainer):
    expected, found = explainer(IMAGES), {}

    def ask(number):
        found[number] = client.explain(IMAGES, number % 3)

    with Client(server.url, NAME, batch_size=2, concurrency=2) as client:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(6):
        assert_same(found[number], explainer(IMAGES, number % 3))
    assert expected.heatmaps.shape == found[0].heatmaps.shape


def test_a_reader_who_stops_ends_the_work(server):
    with Client(server.url, NAME, batch_size=1, concurrency=1) as client:
        for file, _ in client.explain_each(FILES * 20):
            assert file == FILES[0]
            break
    assert len(server.asked) < 10
