"""The networks: residual blocks that start as identities, a nested backbone, any size."""

import ast
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascam import GradCAM
from scene_classification.networks import residual as module
from scene_classification.networks.description import stages_of
from scene_classification.networks.residual import SIZES, residual_network
from scene_classification.networks.transfer import transfer_network

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)


def features(network: keras.Model, layer: str, images=PIXELS):
    return keras.Model(network.input, network.get_layer(layer).output)(images).numpy()


@pytest.mark.parametrize(("size", "millions"), [("tiny", 0.2), ("small", 1.3), ("medium", 3.8)])
def test_the_sizes_have_the_weights_that_the_docstring_says(size, millions):
    network = residual_network(size, input_shape=(64, 64, 3))
    assert round(network.count_params() / 1e6, 1) == millions
    assert SIZES.keys() == {"tiny", "small", "medium"}


def test_an_untrained_identity_block_is_the_identity():
    network = residual_network("medium", input_shape=(64, 64, 3))
    before, after = features(network, "stage1_block1_out"), features(network, "stage1_block2_out")
    np.testing.assert_array_equal(after, before)


def test_an_untrained_projection_block_is_its_projection():
    network = residual_network("tiny", input_shape=(64, 64, 3))
    projected = features(network, "stage2_block1_projection_norm")
    np.testing.assert_array_equal(features(network, "stage2_block1_out"), projected.clip(min=0))


def test_a_projection_to_a_coarser_grid_mixes_the_mean_of_its_cells():
    network = residual_network("tiny", input_shape=(64, 64, 3))
    cells = features(network, "stage1_block1_out").reshape(2, 8, 2, 8, 2, 16)
    (kernel,) = network.get_layer("stage2_block1_projection_conv").get_weights()
    mixed = cells.mean((2, 4)) @ kernel[0, 0]
    found = features(network, "stage2_block1_projection_conv")
    np.testing.assert_allclose(found, mixed, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "projection", "share"),
    [
        ("stage1_block1_out", "averaged", 1),
        ("stage2_block1_out", "averaged", 1),
        ("stage1_block1_out", "strided", 1 / 16),  # two coarser grids follow it
        ("stage2_block1_out", "strided", 1 / 4),
    ],
)
def test_how_many_cells_before_a_down_sampling_block_its_projection_gives_a_gradient(
    layer, projection, share
):
    # Untrained, F(x) = 0: what gradient a cell has comes through the projection.
    network = residual_network("tiny", input_shape=(64, 64, 3), projection=projection)
    found = gradients(network, layer)
    assert (np.abs(found).sum(-1) > 0).mean() == share


def test_averaged_the_cells_of_a_block_share_one_gradient_through_the_projection():
    found = gradients(residual_network("tiny", input_shape=(64, 64, 3)), "stage1_block1_out")
    blocks = found.reshape(2, 8, 2, 8, 2, 16)
    np.testing.assert_array_equal(blocks, np.broadcast_to(blocks[:, :, :1, :, :1], blocks.shape))


def gradients(network: keras.Model, layer: str):
    """Return the derivative of the first class's score with respect to a layer."""
    both = keras.Model(
        network.input, [network.get_layer(layer).output, network.get_layer("scores").output]
    )
    after = keras.Model(both.outputs[0], both.outputs[1])
    with tf.GradientTape() as tape:
        cells = tf.constant(features(network, layer))
        tape.watch(cells)
        score = after(cells)[:, 0]
    return tape.gradient(score, cells).numpy()


def test_a_block_adds_what_its_convolutions_see():
    network = residual_network("tiny", input_shape=(64, 64, 3))
    network.get_layer("stage1_block1_2_norm").gamma.assign(np.full(16, 0.5))
    shortcut, residual = (features(network, name) for name in ("stem_pool", "stage1_block1_2_norm"))
    total = (shortcut + residual).clip(min=0)
    np.testing.assert_allclose(features(network, "stage1_block1_out"), total, rtol=1e-6)
    assert np.abs(residual).max() > 0.1


def test_the_head_is_a_softmax_of_a_dense_layer_on_the_mean():
    network = residual_network("tiny", input_shape=(64, 64, 3), classes=3)
    kernel, bias = network.get_layer("scores").get_weights()
    scores = features(network, "stage4_block1_out").mean((1, 2)) @ kernel + bias
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(network(PIXELS).numpy(), expected, atol=1e-6)


def test_an_unknown_size_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"size='huge' is unknown; choose one of \['medium'"):
        residual_network("huge")


def test_an_unknown_projection_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"projection='mean' is unknown; choose one of \['averag"):
        residual_network("tiny", projection="mean")


def test_only_keras_is_imported_so_any_backend_trains_it():
    tree = ast.parse(inspect.getsource(module))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert names == {"__future__", "collections.abc", "functools", "typing", "keras"}


@pytest.fixture(scope="module")
def saved_classifier(tmp_path_factory):
    path = tmp_path_factory.mktemp("backbone") / "classifier.keras"
    keras.utils.set_random_seed(1)
    residual_network("tiny", input_shape=(48, 48, 3), classes=10).save(path)
    return path


def test_a_backbone_is_the_saved_network_up_to_its_last_features(saved_classifier):
    network = transfer_network(str(saved_classifier), input_shape=(64, 64, 3))
    wide = residual_network("tiny", input_shape=(64, 64, 3), classes=10)
    wide.set_weights(keras.models.load_model(saved_classifier).get_weights())
    expected = features(wide, "stage4_block1_out")
    np.testing.assert_allclose(network.get_layer("backbone")(PIXELS), expected, atol=1e-6)


def test_grad_cam_looks_into_the_nested_backbone(saved_classifier):
    network = transfer_network(str(saved_classifier), input_shape=(64, 64, 3))
    explanation = GradCAM(network)(PIXELS, 2)
    activations = np.asarray(network.get_layer("backbone")(PIXELS))
    kernel = network.get_layer("scores").get_weights()[0]
    # Behind the mean over the grid and one dense layer, Grad-CAM is CAM: Σ_k w_k A_k over the size.
    expected = np.maximum(activations @ kernel[:, 2], 0) / activations[0, :, :, 0].size
    np.testing.assert_allclose(np.asarray(explanation.maps), expected, rtol=1e-4, atol=1e-7)


def test_grad_cam_finds_the_last_block_of_a_nested_resnet50(monkeypatch):
    # The architecture without its ImageNet weights, which would be downloaded.
    build = keras.applications.ResNet50
    monkeypatch.setattr(
        keras.applications, "ResNet50", lambda **given: build(**{**given, "weights": None})
    )
    network = transfer_network("resnet50", input_shape=(64, 64, 3))
    explanation = GradCAM(network)(PIXELS, 0)
    assert explanation.layer == "backbone/conv5_block3_out"
    kernel = network.get_layer("scores").get_weights()[0]
    centered = keras.applications.resnet.preprocess_input(PIXELS.copy())
    activations = np.asarray(network.get_layer("backbone")(centered))
    expected = np.maximum(activations @ kernel[:, 0], 0) / 4
    np.testing.assert_allclose(np.asarray(explanation.maps), expected, rtol=1e-3, atol=1e-6)


def test_a_backbone_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"backbone='gone.keras' does not exist; give"):
        transfer_network("gone.keras")


def test_a_plain_block_is_a_residual_block_without_its_sum():
    plain = residual_network("tiny", input_shape=(64, 64, 3), shortcuts=False)
    expected = features(plain, "stage2_block1_2_norm").clip(min=0)
    np.testing.assert_array_equal(features(plain, "stage2_block1_out"), expected)
    assert expected.max() > 0.1
    kernels = [
        [one.kernel.shape for one in network.layers if isinstance(one, keras.layers.Conv2D)]
        for network in (plain, residual_network("tiny", input_shape=(64, 64, 3)))
    ]
    main = [shape for shape in kernels[1] if shape[0] == 3]  # projections are 1 × 1
    assert kernels[0] == main


def test_the_table_of_stages_adds_up_to_the_network():
    network = residual_network("medium", input_shape=(128, 128, 3))
    stages = stages_of(network)
    assert sum(stage.parameters for stage in stages) == network.count_params()
    assert [stage.size for stage in stages] == [
        (32, 32, 48), (32, 32, 48), (16, 16, 96), (8, 8, 192), (8, 8, 256), (6,),
    ]  # fmt: skip
    assert [stage.blocks for stage in stages] == [0, 2, 2, 2, 2, 0]
    assert stages_of(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])) == []


@pytest.mark.parametrize(("layer", "row"), [("stem_pool", 0), ("stage1_block1_out", 1)])
def test_a_cell_depends_on_the_pixels_of_its_receptive_field_and_no_others(layer, row):
    network = residual_network("tiny", input_shape=(64, 64, 3))
    for one in network.layers:
        if isinstance(one, keras.layers.BatchNormalization):  # blocks that are no identities
            one.gamma.assign(np.ones(one.gamma.shape))
    cells = keras.Model(network.input, network.get_layer(layer).output)
    images = tf.constant(np.random.default_rng(1).uniform(0, 255, (48, 64, 64, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        middle = tf.reduce_sum(cells(images)[:, 8, 8])
    seen = np.abs(tape.gradient(middle, images)).sum((0, 2, 3)) > 0
    reach = np.flatnonzero(seen)
    assert reach[-1] - reach[0] + 1 == stages_of(network)[row].receptive_field
