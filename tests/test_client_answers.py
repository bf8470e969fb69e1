"""An answer is taken only where every output is what the export and the question make it."""

import json

import keras
import numpy as np
import pytest
from ask_in_session import exported
from keras import layers
from model_servers import NAME, LibraryModel, encoded, grpc_server, loaded, rest_server
from proofs import pairs

import kerascam
from kerascam.serving import Client, ServingError
from kerascam.serving.client.checks import is_whole_png
from kerascam.signatures import MANIFEST

RNG = np.random.default_rng(0)
IMAGES = RNG.random((2, 6, 7, 3)).astype(np.float32)
PICTURE = encoded(np.zeros((4, 5, 3), np.uint8))


def network(head):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 7, 3)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, head),
        ]
    )


@pytest.fixture(scope="module")
def model():
    explainer = kerascam.GradCAM(network("softmax"), class_names=("cat", "cow", "dog"))
    return LibraryModel(explainer, IMAGES, raw_maps=True)


SERVERS = {"REST": rest_server, "gRPC": grpc_server}


@pytest.fixture(params=SERVERS.values(), ids=SERVERS)
def serve(request):
    return request.param


def changed(model, change):
    """Serve a model whose outputs are changed; the manifest is not."""

    def answer(signature, inputs):
        found = dict(model(signature, inputs))
        if signature != MANIFEST:
            change(found)
        return found

    return answer


def put(name, value, place=0):
    """Put a value into an output."""

    def change(found):
        found[name] = np.array(found[name])
        found[name][place] = value

    return change


def replaced(name, make):
    """Put another array in an output's place."""

    def change(found):
        found[name] = make(found[name])

    return change


def texts(*values):
    return lambda array: np.array(values, object)


EXPLAINED = [
    (put("class_index", -5), "'class_index' with the value -5"),
    (put("class_index", 3), "'class_index' with the value 3"),
    (replaced("class_index", lambda a: (a + 1) % 3), "0 a predicted class that is not the most"),
    (replaced("class_name", texts("sheep", "cow")), "another class name than the class has"),
    (put("probabilities", 5.0), "'probabilities' with the value 5.0"),
    (put("probabilities", -0.5), "'probabilities' with the value -0.5"),
    (replaced("probabilities", lambda a: a[:, :2]), r"'probabilities' of shape \(2, 2\), not"),
    (replaced("probabilities", lambda a: a[:, 0]), r"'probabilities' of shape \(2,\), not"),
    (put("probability", 5.0), "'probability' with the value 5.0"),
    (put("probability", 0.01), "image 0 a probability that is not the one of its class"),
    (put("probability", np.nan), "image 0 a probability that is not the one of its class"),
    (lambda found: found.pop("probabilities"), "image 0 a probability that is not the one"),
    (put("score", np.nan, 1), "image 1 the status 'ok' without a score"),
    (put("score", np.inf, 1), "image 1 the status 'ok' without a score"),
    (lambda found: found.pop("score"), "returned no 'score' but class_index, "),
    (replaced("score", lambda a: a[:, None]), r"'score' of shape \(2, 1\), not \(2\)"),
    (replaced("status", texts("ok", "splendid")), "'status' with the value 'splendid'"),
    (put("heatmap", np.nan), "'heatmap' with the value nan"),
    (put("heatmap", np.inf), "'heatmap' with the value inf"),
    (put("heatmap", -0.5), "'heatmap' with the value -0.5"),
    (put("heatmap", 1.5), "'heatmap' with the value 1.5"),
    (replaced("heatmap", lambda a: a[:, :5]), r"'heatmap' of shape \(2, 5, 7\), not \(2, 6, 7\)"),
    (replaced("heatmap", lambda a: a[..., None]), r"'heatmap' of shape \(2, 6, 7, 1\), not"),
    (put("map", np.nan), "'map' with the value nan"),
    (replaced("map", lambda a: a[:, 0, 0]), r"'map' of shape \(2,\), not \(2, any, ...\)"),
    (lambda found: found.update(map_3=found.pop("map")), "returned no 'map_0'"),
    (
        replaced("manifest_id", texts("elsewhere", "elsewhere")),
        "by another model in each of 4 tries",
    ),
]


@pytest.mark.parametrize(
    ("serve", "change", "message"),
    [(server, *case) for server, case in pairs(tuple(SERVERS.values()), EXPLAINED)],
    indirect=["serve"],
)
def test_an_explanation_with_something_wrong(serve, model, change, message):
    with (
        serve(changed(model, change)) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=message) as error,
    ):
        client.explain(IMAGES)
    assert error.value.code is None  # nothing was refused by the server


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced("class_index", lambda a: (a + 1) % 3), "a predicted class that is not the most"),
        (put("probabilities", 2.0), "'probabilities' with the value 2.0"),
        (replaced("class_name", texts("dog", "sheep")), "another class name than the class has"),
    ],
)
def test_a_prediction_with_something_wrong(serve, model, change, message):
    with (
        serve(changed(model, change)) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=message),
    ):
        client.predict(IMAGES)


def test_a_class_that_was_not_asked_for(serve, model):
    def other(found):
        asked = model("explain", {"image": IMAGES, "class_index": np.array([0, 1], np.int32)})
        found.update(asked)

    with serve(changed(model, other)) as server, Client(server.url, NAME) as client:
        assert list(client.explain(IMAGES, [0, 1]).classes) == [0, 1]
        with pytest.raises(ServingError, match="image 1 another class than was asked for"):
            client.explain(IMAGES, 0)


@pytest.mark.parametrize("broken", [b"", b"no picture", PICTURE[:-1], PICTURE + b"x", b"\x89PNG"])
def test_an_overlay_that_is_no_png(serve, model, broken):
    change = replaced("overlay_bytes", lambda a: np.array([a[0], broken], object))
    files = [encoded((image * 255).astype(np.uint8)) for image in IMAGES]
    with serve(changed(model, change)) as server, Client(server.url, NAME) as client:
        with pytest.raises(
            ServingError, match="'overlay_bytes' with something that is not a whole"
        ):
            client.explain(files)
        outcomes = [outcome for _, outcome in client.explain_each(files)]
    assert [type(each) for each in outcomes] == [ServingError] * 2


def test_every_byte_of_a_png_counts():
    assert is_whole_png(PICTURE)
    for place in range(len(PICTURE)):
        assert not is_whole_png(PICTURE[:place])
        assert not is_whole_png(PICTURE[:place] + b"?" + PICTURE[place + 1 :])


def test_signed_and_unscaled_heatmaps_have_ranges_of_their_own(serve):
    signed = LibraryModel(kerascam.GradCAM(network("softmax"), normalize="signed"), IMAGES)
    unscaled = LibraryModel(kerascam.GradCAM(network("softmax"), normalize="none"), IMAGES)
    with serve(changed(signed, put("heatmap", -1.0))) as server, Client(server.url, NAME) as client:
        assert client.explain(IMAGES).heatmaps[0].max() == -1
    for value in (-1.5, 1.5):
        with (
            serve(changed(signed, put("heatmap", value))) as server,
            Client(server.url, NAME) as client,
            pytest.raises(ServingError, match=f"'heatmap' with the value {value}"),
        ):
            client.explain(IMAGES)
    with (
        serve(changed(unscaled, put("heatmap", 9.0))) as server,
        Client(server.url, NAME) as client,
    ):
        assert client.explain(IMAGES).heatmaps[0].max() == 9


@pytest.fixture(scope="module")
def softmax(tmp_path_factory):
    """What an export of a model that ends in a softmax answers."""
    explainer = kerascam.GradCAM(network("softmax"))
    return loaded(exported(explainer, tmp_path_factory.mktemp(NAME), warm_up=False))


def test_a_softmax_sums_to_one(serve, softmax):
    with serve(softmax) as server, Client(server.url, NAME) as client:
        assert client.manifest()["sums_to_one"] is True
        found = client.predict(IMAGES).probabilities
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)
    halved = changed(softmax, replaced("probabilities", lambda a: a / 2))
    with (
        serve(halved) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match="image 0 probabilities that do not sum to 1"),
    ):
        client.predict(IMAGES)


def test_a_server_is_explained_as_a_black_box(softmax):
    options = {"patch": 3, "stride": 3, "baseline": 0, "target": kerascam.targets.probability}
    with rest_server(softmax) as server, Client(server.url, NAME) as client:
        asked = kerascam.black_box(
            lambda images: client.predict(images).probabilities,
            (6, 7, 3), activation="softmax", batch_size=8,
        )  # fmt: skip
        found = kerascam.Occlusion(asked, **options)(IMAGES)
    wanted = kerascam.Occlusion(network("softmax"), **options)(IMAGES)
    np.testing.assert_allclose(found.maps, wanted.maps, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.classes, wanted.classes)


def test_sigmoids_need_not_sum_to_one(serve):
    explainer = kerascam.GradCAM(network("sigmoid"))
    with (
        serve(LibraryModel(explainer, IMAGES)) as server,
        Client(server.url, NAME) as client,
    ):
        found = client.predict(IMAGES).probabilities
    np.testing.assert_allclose(found, explainer.model.predict_on_batch(IMAGES), atol=1e-6)
    assert np.abs(found.sum(-1) - 1).min() > 0.1


# ------------------------------------------------------------------------------------ the manifest


def telling(model, **facts):
    """Serve a model whose manifest has other facts; None takes one away."""
    told = json.loads(model.manifest) | facts
    text = json.dumps({name: fact for name, fact in told.items() if fact is not ...})
    return lambda *_: {"manifest": np.array([text], object)}


FORM = {"name": "in", "shape": [None, 6, 7, 3], "dtype": "float32"}


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"class_names": 3}, "has an impossible value for 'class_names'"),
        ({"class_names": ["cat", 3]}, "has an impossible value for 'class_names'"),
        ({"method": []}, "has an impossible value for 'method'"),
        ({"layer": None}, "has an impossible value for 'layer'"),
        ({"notes": "none"}, "has an impossible value for 'notes'"),
        ({"signed": 1}, "has an impossible value for 'signed'"),
        ({"scaled": ...}, "has no 'scaled'; export the model again"),
        ({"inputs": []}, "has an impossible value for 'inputs'"),
        ({"inputs": {}}, "has an impossible value for 'inputs'"),
        ({"inputs": {"image": 3}}, "has an impossible value for 'inputs'"),
        (
            {"inputs": {"image": FORM | {"shape": [None, -1]}}},
            "has an impossible value for 'inputs'",
        ),
        ({"inputs": {"image": FORM | {"shape": 3}}}, "has an impossible value for 'inputs'"),
        ({"inputs": {"image": FORM | {"dtype": "O"}}}, "has an impossible value for 'inputs'"),
        ({"inputs": {"image": FORM | {"dtype": [[]]}}}, "has an impossible value for 'inputs'"),
        ({"inputs": {"image": FORM | {"name": 3}}}, "has an impossible value for 'inputs'"),
        ({"photographs": [5, 5]}, "has an impossible value for 'photographs'"),
        ({"heatmap": {"input": "image"}}, "has an impossible value for 'heatmap'"),
        ({"heatmap": {"input": "x", "channels_first": False}}, "on 'x', which is not an input"),
        ({"of_pixels": "future"}, "has an impossible value for 'of_pixels'"),
        ({"method": "future_cam", "title": ...}, "does not know: 'future_cam'; upgrade kerascam"),
    ],
)
def test_a_manifest_with_something_wrong(serve, model, facts, message):
    with (
        serve(telling(model, **facts)) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=message),
    ):
        client.explain(IMAGES)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", '"\ud800"', "1" * 5_000, ""])
def test_a_manifest_that_is_no_object(model, text):
    with (
        rest_server(lambda *_: {"manifest": np.array([text], object)}) as server,
        Client(server.url, NAME) as client,
        pytest.raises(ServingError, match=r"cannot be read|has no 'method'"),
    ):
        client.explain(IMAGES)


def test_a_method_that_only_its_manifest_knows(serve, model):
    future = LibraryModel(model.explainer, IMAGES)
    facts = json.loads(future.manifest) | {"method": "future_cam", "title": "Future-CAM"}
    future.say(json.dumps(facts))
    with serve(future) as server, Client(server.url, NAME) as client:
        found = client.explain(IMAGES)
    assert found.method == "future_cam" and repr(found).startswith("Future-CAM at conv, 2 heatmaps")
    assert found.overlay().shape == IMAGES.shape


def test_what_heatmaps_lie_on_may_be_told(serve, model):
    """A layer that no input has the axes of gives heatmaps on its own grid."""
    free = LibraryModel(model.explainer, IMAGES)
    ground = {"heatmap": {"input": None, "channels_first": False}}
    free.say(json.dumps(json.loads(free.manifest) | ground))
    smaller = changed(free, replaced("heatmap", lambda a: a[:, ::2, ::2]))
    with serve(smaller) as server, Client(server.url, NAME) as client:
        assert client.explain(IMAGES).heatmaps.shape == (2, 3, 4)
