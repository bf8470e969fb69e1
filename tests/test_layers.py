"""Layers by path: walked, found by object, path or name, and named where they are not."""

import keras
import pytest

from kerascam.model import layers


@pytest.fixture(scope="module")
def model():
    backbone = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="conv"),
         keras.layers.ReLU(name="relu")], name="backbone")  # fmt: skip
    inputs = keras.Input((8, 8, 3), name="photo")
    left = backbone(inputs)
    right = keras.layers.Conv2D(2, 3, name="right")(inputs)
    x = keras.layers.ReLU(name="out_relu")(left + right)
    x = keras.layers.ReLU(name="relu")(keras.ops.maximum(x, 0.5))
    return keras.Model(inputs, keras.layers.Flatten(name="flat")(x), name="scene")


def paths(model):
    return [path for path, _ in layers.walk(model)]


def test_walk_gives_paths_in_execution_order_bare_operations_too(model):
    found = paths(model)
    wanted = ["photo", "backbone", "backbone/conv", "backbone/relu", "right", "out_relu", "relu",
              "flat"]  # fmt: skip
    assert [path for path in found if path in wanted] == wanted
    assert {"add", "maximum"} <= {path.split("_")[0] for path in set(found) - set(wanted)}


def test_walk_sees_a_subclassed_models_layers():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.first = keras.layers.Conv2D(2, 3, name="first")
            self.blocks = [keras.layers.Dense(2, name=f"block{n}") for n in range(2)]

        def call(self, x):
            x = self.first(x)
            for block in self.blocks:
                x = block(x)
            return x

    assert paths(Own()) == ["first", "block0", "block1"]


@pytest.mark.parametrize("path", ["backbone/conv", "right", "out_relu", "backbone"])
def test_a_path_is_found(model, path):
    found, layer = layers.find(model, path)
    assert found == path and layer.name == path.rsplit("/", 1)[-1]


def test_a_name_that_only_one_layer_has_is_enough(model):
    assert layers.find(model, "conv") == ("backbone/conv", model.get_layer("backbone").layers[0])


def test_a_full_path_goes_before_the_end_of_another(model):
    assert layers.find(model, "relu") == ("relu", model.get_layer("relu"))
    assert layers.find(model, "backbone/relu")[1] is model.get_layer("backbone").layers[1]


def test_an_object_is_found(model):
    inner = model.get_layer("backbone").layers[1]
    assert layers.find(model, inner) == ("backbone/relu", inner)


def test_a_layer_of_another_model(model):
    stranger = keras.layers.Conv2D(2, 3, name="conv")
    message = "layer 'conv' is not a part of model 'scene'; pass a layer of this model"
    with pytest.raises(ValueError, match=message):
        layers.find(model, stranger)


def test_an_ambiguous_name():
    def part(name):
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="head")], name=name)

    inputs = keras.Input((4,))
    twins = keras.Model(inputs, part("left")(inputs) + part("right")(inputs), name="twins")
    message = (
        "layer 'head' names 2 layers of model 'twins': left/head, right/head; give a full path or "
        "the layer object"
    )
    with pytest.raises(ValueError, match=message):
        layers.find(twins, "head")
    assert layers.find(twins, "right/head")[0] == "right/head"


def test_one_layer_in_two_places_is_one_layer():
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4, name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    assert layers.find(model, "shared") == ("shared", shared)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rigth", "did you mean right?"),
        ("backbone/cnv", "did you mean backbone/conv"),
        ("convv", "did you mean backbone/conv?"),
        ("zzzzzz", "suggest_layers(model) lists them all"),
        ("", "suggest_layers(model) lists them all"),
    ],
)
def test_a_name_that_no_layer_has(model, name, hint):
    with pytest.raises(ValueError) as caught:
        layers.find(model, name)
    assert str(caught.value).startswith(f"no layer {name!r} in model 'scene'; {hint}")


@pytest.mark.parametrize("layer", [3, 2.5, None, b"conv", {"conv"}], ids=repr)
def test_what_is_no_layer_at_all(model, layer):
    with pytest.raises(TypeError, match="layer must be a path, a name or a layer of the model, no"):
        layers.find(model, layer)


def test_near_misses_by_the_whole_path_or_its_end():
    known = ["resnet50/conv5_block3_out", "resnet50/conv5_block2_out", "head/probs"]
    assert layers.near_misses("conv5_blok3_out", known) == (
        "did you mean resnet50/conv5_block3_out or resnet50/conv5_block2_out?"
    )
    assert layers.near_misses("head/prob", known) == "did you mean head/probs?"
    assert layers.near_misses("x", known) == "suggest_layers(model) lists them all"


def test_which_layers_have_their_channels_first():
    model = keras.Sequential([
        keras.Input((8, 8, 3)),
        keras.layers.Permute((3, 1, 2), name="turn"),
        keras.layers.MaxPooling2D(data_format="channels_first", name="pool"),
        keras.layers.ReLU(name="follows"),
        keras.layers.MaxPooling2D(data_format="channels_last", name="back"),
        keras.layers.ReLU(name="follows_back"),
    ])  # fmt: skip
    first = layers.channels_first(model)
    named = [layer.name for layer in model.layers if id(layer) in first]
    assert named == ["pool", "follows"]
