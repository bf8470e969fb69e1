"""Every kind of Keras model gives the map that its own arithmetic, written out by hand, gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import zoo
from enlarging import enlarged
from keras import layers
from proofs import pairs, proof, rows

from kerascam import Explainer, Explanation, GradCAM, HiResCAM, find_target_layer, targets


def close(found: Any, wanted: Any, tolerance: float = 1e-4) -> None:
    """Compare arrays; differences count as a fraction of the largest magnitude."""
    wanted = np.asarray(wanted)
    largest = np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * (largest or 1))


def agrees(found: Explanation, wanted: zoo.Reference, tolerance: float) -> None:
    """Compare all that an explanation says beside its maps."""
    np.testing.assert_array_equal(found.classes, wanted.classes)
    close(found.scores, wanted.scores, tolerance)
    np.testing.assert_allclose(found.probabilities, wanted.probabilities, atol=tolerance)
    evidence = (found.maps.reshape(zoo.BATCH, -1) > 0).any(-1)
    # One small positive cell between large negative ones is not seen between the centres of cells.
    shown = found.heatmaps.reshape(zoo.BATCH, -1).any(-1)
    ok = np.where(shown, "ok", "evidence lost in scaling")
    assert found.statuses == tuple(np.where(evidence, ok, "no positive evidence"))


def hires(found: zoo.Reference) -> np.ndarray:
    return (found.gradients * found.activations).sum(-1)


def grad_cam(found: zoo.Reference) -> np.ndarray:
    weights = found.gradients.mean(tuple(range(1, found.gradients.ndim - 1)), keepdims=True)
    return np.maximum((weights * found.activations).sum(-1), 0)


# ------------------------------------------------------------------------------------ every kind


# Of each family of kinds those that the library has to look through furthest.
TELLING = rows(
    ("sequential_without_input", "nested_twice", "subclassed", "subclassed_with_bare_variables",
     "subclassed_xla_function",
     "layer_tf_function_itself", "hidden_in_helper", "inputs_in_list_row_first",
     "inputs_in_dict_subclassed", "output_of_dict_by_index", "multi_label", "regression",
     "binary_target_on_sigmoid", "flatten", "segmentation", "log_softmax_of_keras_ops",
     "softmax_then_squeeze", "softmax_in_tf_function", "sigmoid_unit_sliced", "one_dimension",
     "three_dimensions", "float64", "mixed_float16_small_gradients", "channels_first_pointwise",
     "augmentation", "grouped_behind", "shared_second_run_subclassed", "batch_normalised",
     "several_outputs_of_one_layer", "transformer_with_grid"),
    zoo.KINDS,
)  # fmt: skip


@pytest.mark.parametrize("name", TELLING)
def test_explains_as_computed_by_hand(name: str) -> None:
    """HiResCAM shows each place's activation times its gradient: no other place can hide it.

    The model stays as it was, and the layer that is taken by default is the expected one.
    """
    specimen = zoo.KINDS[name]()
    with zoo.untouched(specimen.model):
        explainer = HiResCAM(specimen.model, specimen.layer, **specimen.options)
        predicted = explainer(specimen.inputs)
        chosen = explainer(specimen.inputs, specimen.classes)
        if specimen.default is not None:
            output = specimen.options.get("output")
            layer = find_target_layer(specimen.model, specimen.inputs, output=output)
            assert layer == specimen.default

    for found, classes in ((predicted, None), (chosen, specimen.classes)):
        wanted = zoo.reference(specimen, classes)
        agrees(found, wanted, specimen.tolerance)
        close(found.maps, hires(wanted), specimen.tolerance)
        precision = np.float64 if name == "float64" else np.float32
        assert found.maps.dtype == found.heatmaps.dtype == precision


GRIDS = {
    "sequential": (12, 16),
    "nested_twice": (12, 16),
    "subclassed_tf_function": (12, 16),
    "inputs_in_list_row_first": (12, 16),
    "one_dimension": (20,),
    "three_dimensions": (6, 8, 10),
    "channels_first_pointwise": (12, 16),
    "any_size": (12, 16),
    "transformer": (12, 16),
    "transformer_with_grid": (12, 16),
    "mixer": (12, 16),
    "shared_second_run": (12, 16),
}

# Where the first cell begins and how wide it is, of kinds whose cells do not cover the image.
EDGES = {"channels_first_pointwise": [(-1, 1), (0, 1)]}  # a row of padding above, a column beside


@pytest.mark.parametrize(
    "name",
    rows(
        ("nested_twice", "one_dimension", "channels_first_pointwise", "transformer_with_grid"),
        GRIDS,
    ),
)
def test_heatmaps_lie_on_the_images(name: str) -> None:
    specimen = zoo.KINDS[name]()
    explainer = GradCAM(specimen.model, specimen.layer, **specimen.options)
    found = explainer(specimen.inputs, specimen.classes)

    maps = grad_cam(zoo.reference(specimen, specimen.classes))
    close(found.maps, maps)
    size = GRIDS[name]
    edges = [(0, pixels / cells) for pixels, cells in zip(size, maps.shape[1:], strict=True)]
    large = enlarged(maps, size, EDGES.get(name, edges))
    highest = large.max(tuple(range(1, large.ndim)), keepdims=True)
    assert (highest > 0).any()
    close(found.heatmaps, np.divide(large, highest, out=0 * large, where=highest > 0))


# ------------------------------------------------------------------------------------ methods


def plus_plus(found: zoo.Reference) -> np.ndarray:
    """Equation 19 of the paper as it stands; e^S is left out, as a factor of the whole map."""
    g, a = found.gradients, found.activations
    total = a.sum((1, 2), keepdims=True)
    bottom = 2 * g**2 + total * g**3
    alpha = np.divide(g**2, bottom, out=np.zeros_like(g), where=g > 0)
    weights = (alpha * np.maximum(g, 0)).sum((1, 2), keepdims=True)
    return np.maximum((weights * a).sum(-1), 0)


def xgrad(found: zoo.Reference) -> np.ndarray:
    g, a = found.gradients, found.activations
    total = a.sum((1, 2), keepdims=True)
    share = np.divide(a, total, out=np.zeros_like(a), where=total != 0)
    return np.maximum(((share * g).sum((1, 2), keepdims=True) * a).sum(-1), 0)


FORMULAS: dict[str, Callable[[zoo.Reference], np.ndarray]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": plus_plus,
    "xgrad_cam": xgrad,
    "layer_cam": lambda found: (np.maximum(found.gradients, 0) * found.activations).sum(-1),
    "elementwise_grad_cam": lambda found: np.maximum(found.gradients * found.activations, 0).sum(
        -1
    ),
}


@pytest.mark.parametrize(
    ("name", "method"), pairs(("nested", "subclassed_tf_function"), tuple(FORMULAS))
)
def test_methods_agree_with_their_formulas(name: str, method: str) -> None:
    specimen = zoo.KINDS[name]()
    found = Explainer(specimen.model, method, specimen.layer)(specimen.inputs, specimen.classes)
    close(found.maps, FORMULAS[method](zoo.reference(specimen, specimen.classes)))


# ----------------------------------------------------------------------------- models in a state


def test_explains_a_loaded_model(tmp_path: Path) -> None:
    specimen = zoo.loaded(tmp_path)
    found = HiResCAM(specimen.model, specimen.layer)(specimen.inputs)
    close(found.maps, hires(zoo.reference(specimen)))


@pytest.mark.parametrize(
    "name",
    rows(
        ("subclassed_xla_function",),
        ("sequential", "subclassed_xla_function", "hidden_in_helper"),
    ),
)
def test_explains_again_and_after_predicting(name: str) -> None:
    """A `tf.function` that was traced before runs without its Python, and so without a word."""
    specimen = zoo.KINDS[name]()
    specimen.model.predict(specimen.inputs, verbose=0)
    wanted = zoo.reference(specimen)
    for _ in range(2):
        close(HiResCAM(specimen.model, "features")(specimen.inputs).maps, hires(wanted))
        assert find_target_layer(specimen.model, specimen.inputs) == "mix"


def test_images_of_any_size_share_one_program() -> None:
    specimen = zoo.any_size()
    explainer = HiResCAM(specimen.model, specimen.layer)
    for size in ((12, 16), (15, 9), (31, 32)):
        images = zoo.images(*size)
        found = explainer(images)
        close(found.maps, hires(zoo.reference(specimen, inputs=images)))
        assert found.heatmaps.shape == (zoo.BATCH, *size)
    assert len(explainer.programs) == 1


@proof
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_a_quantized_transformer_is_explained_nearly_as_before() -> None:
    """The attention is in 8-bit integers too; Keras gives it the gradient of the weights."""
    specimen = zoo.transformer()
    explained = HiResCAM(specimen.model, specimen.layer)(specimen.inputs, specimen.classes)
    specimen.model.quantize("int8")
    found = HiResCAM(specimen.model, specimen.layer)(specimen.inputs, specimen.classes)
    close(found.scores, explained.scores, 0.05)
    # Keras 3.6, the oldest that is supported, rounds more: 0.08 of the maximum.
    close(found.maps, explained.maps, 0.05 if zoo.KERAS_VERSION > (3, 6) else 0.1)


def test_a_quantized_layer_keeps_its_call() -> None:
    specimen = zoo.quantized_head()
    with zoo.untouched(specimen.model):
        HiResCAM(specimen.model, specimen.layer)(specimen.inputs)
    assert "quantized_call" not in vars(specimen.model.get_layer("scores"))


def test_large_gradients_fit_into_half_precision() -> None:
    """float16 holds numbers up to 65504: gradients may be scaled up on their way only so far."""
    net = zoo.Net(dtype="mixed_float16")
    net.pool = layers.Flatten(dtype="mixed_float16")
    specimen = zoo.of_net(
        zoo.functional_net(net),
        net,
        "mix",
        head=lambda x: tf.nn.relu(zoo.convolve(net.head(x), net.mix, padding="VALID")),
        tail=lambda a, x: zoo.transform(tf.reshape(a, [len(a), -1]), net.scores),
    )
    net.scores.kernel.assign(net.scores.kernel * 1000)
    wanted = zoo.reference(specimen)
    assert 100 < np.abs(wanted.gradients).max() < 65504
    found = HiResCAM(specimen.model, "mix")(specimen.inputs)
    close(found.maps, hires(wanted), 4e-3)


# ----------------------------------------------------------------------------- targets and heads


def logit_of_other(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    return zoo.LINEAR.score(logits, 0 * classes + 1)


# Each target, and its score of logits and classes by hand.
TARGETS: dict[str, tuple[Any, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]]] = {
    "logit": (targets.logit, zoo.LINEAR.score),
    "probability": (targets.probability, zoo.SOFTMAX.probability),
    "value": (targets.value, zoo.SOFTMAX.probability),
    "contrast": (targets.contrast(1), lambda z, c: zoo.LINEAR.score(z, c) - logit_of_other(z, c)),
    "contrast_each": (
        targets.contrast([1, 2, 0], weight=0.5),
        lambda z, c: zoo.LINEAR.score(z, c) - 0.5 * zoo.LINEAR.score(z, tf.constant([1, 2, 0])),
    ),
    "counterfactual": (targets.counterfactual(), lambda z, c: -zoo.LINEAR.score(z, c)),
    "counterfactual_probability": (
        targets.counterfactual(targets.probability),
        lambda z, c: -zoo.SOFTMAX.probability(z, c),
    ),
    "entropy": (
        lambda p, c: -tf.reduce_sum(p * tf.math.log(p), -1),
        lambda z, c: -tf.reduce_sum(tf.nn.softmax(z) * tf.nn.log_softmax(z), -1),
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_what_is_explained(name: str) -> None:
    target, score = TARGETS[name]
    specimen = zoo.functional()
    found = HiResCAM(specimen.model, specimen.layer, target=target)(specimen.inputs, [2, 0, 2])
    wanted = zoo.reference(specimen, [2, 0, 2], score)
    close(found.scores, wanted.scores)
    close(found.maps, hires(wanted))


@pytest.mark.parametrize("classes", [[0, 1, 0], [1, 1, 0]])
def test_a_sigmoid_units_probability_is_its_classes(classes: list[int]) -> None:
    specimen = zoo.sigmoid_unit()
    explainer = HiResCAM(specimen.model, specimen.layer, target=targets.probability)
    found = explainer(specimen.inputs, classes)
    wanted = zoo.reference(specimen, classes, zoo.BINARY.probability)
    close(found.scores, wanted.scores)
    close(found.maps, hires(wanted))


MASKS = {
    "one for all": np.arange(12 * 16).reshape(12, 16) % 5 == 0,
    "one per image": np.random.default_rng(3).random((3, 12, 16)) > 0.7,
    "weights": np.random.default_rng(4).random((12, 16)),
}


@pytest.mark.parametrize("name", MASKS)
def test_a_region_of_a_segmentation_is_its_mean_logit(name: str) -> None:
    specimen, mask = zoo.segmentation(), MASKS[name].astype(np.float32)
    target = targets.region_mean(MASKS[name])

    def score(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        own = zoo.LINEAR.score(logits, classes[:, None, None])
        return tf.reduce_sum(mask * own, [1, 2]) / tf.reduce_sum(mask + 0 * own, [1, 2])

    found = HiResCAM(specimen.model, specimen.layer, target=target)(specimen.inputs, [2, 0, 1])
    wanted = zoo.reference(specimen, [2, 0, 1], score)
    close(found.scores, wanted.scores)
    close(found.maps, hires(wanted))


def test_a_segmentation_without_a_mask_takes_the_predicted_region() -> None:
    specimen = zoo.segmentation()
    target = targets.region_mean()
    found = HiResCAM(specimen.model, specimen.layer, target=target)(specimen.inputs, [2, 0, 1])
    wanted = zoo.reference(specimen, [2, 0, 1])
    close(found.scores, wanted.scores)
    close(found.maps, hires(wanted))


# ------------------------------------------------------------------------- maps without evidence


def _dead(net: zoo.Net) -> None:
    net.features.kernel.assign(0 * net.features.kernel)
    net.features.bias.assign(0 * net.features.bias - 1)


def _deaf(net: zoo.Net) -> None:
    net.scores.kernel.assign(0 * net.scores.kernel)


def _against(net: zoo.Net) -> None:
    net.mix.kernel.assign(abs(net.mix.kernel.value))
    net.scores.kernel.assign(-abs(net.scores.kernel.value))


def _spoil(layer: str, value: float) -> Callable[[zoo.Net], None]:
    def spoil(net: zoo.Net) -> None:
        # A ReLU that is fused with its convolution gives zero for NaN, as if nothing were wrong.
        net.features.activation = net.mix.activation = keras.activations.linear
        kernel = getattr(net, layer).kernel
        kernel.assign(kernel.numpy() * np.where(np.arange(kernel.shape[-1]) == 1, value, 1))

    return spoil


FAILURES: dict[str, tuple[Callable[[zoo.Net], None], str]] = {
    "dead layer": (_dead, "zero activations"),
    "zero gradient": (_deaf, "zero gradient"),
    "evidence against": (_against, "no positive evidence"),
    "NaN in the layer": (_spoil("features", np.nan), "not finite"),
    "NaN behind the layer": (_spoil("mix", np.nan), "not finite"),
    "infinity in the layer": (_spoil("features", np.inf), "not finite"),
    "infinity in the scores": (_spoil("scores", np.inf), "not finite"),
}


@pytest.mark.parametrize(
    ("name", "normalize"),
    [*((name, "minmax") for name in FAILURES),
     *(("NaN behind the layer", how) for how in ("max", "signed", "none"))],
)  # fmt: skip
def test_a_map_without_evidence_is_zero_and_says_why(name: str, normalize: str) -> None:
    harm, status = FAILURES[name]
    net = zoo.Net()
    specimen = zoo.of_net(zoo.functional_net(net), net)
    harm(net)
    found = GradCAM(specimen.model, "features", normalize=normalize)(specimen.inputs, 1)
    assert found.statuses == (status,) * zoo.BATCH
    np.testing.assert_array_equal(found.maps, np.zeros((zoo.BATCH, 6, 8)))
    np.testing.assert_array_equal(found.heatmaps, np.zeros((zoo.BATCH, 12, 16)))


def test_one_spoiled_image_leaves_the_others_alone() -> None:
    specimen = zoo.functional()
    images = specimen.inputs.copy()
    images[1] = 3e38
    explainer = HiResCAM(specimen.model, specimen.layer)
    found, wanted = explainer(images, 1), explainer(specimen.inputs, 1)
    assert found.statuses == ("ok", "not finite", "ok")
    close(found.maps, wanted.maps * np.array([1, 0, 1])[:, None, None])


# --------------------------------------------------------------------------------- clear errors


def test_a_target_that_does_not_depend_on_the_layer_is_refused() -> None:
    net = zoo.Net()
    inputs = keras.Input((*zoo.SIZES[2], 3))
    aside = layers.Conv2D(2, 1, name="aside")(inputs)
    model = keras.Model(inputs, [net(inputs), layers.Flatten(name="flat")(aside)])
    with pytest.raises(ValueError, match="target does not depend on layer 'aside'"):
        GradCAM(model, "aside", output=0)(zoo.images())


def test_a_constant_target_is_refused() -> None:
    specimen = zoo.functional()
    explainer = GradCAM(specimen.model, target=lambda outputs, classes: tf.zeros(tf.shape(classes)))
    with pytest.raises(ValueError, match="target does not depend on any layer"):
        explainer(specimen.inputs)


@pytest.mark.parametrize("layer", ["stem", "features"])
def test_a_shared_layer_asks_for_call_index(layer: str) -> None:
    specimen = zoo.shared_first_run()
    with pytest.raises(ValueError, match=rf"layer '{layer}' ran 2 times .* call_index=, .* 0 to 1"):
        GradCAM(specimen.model, layer)(specimen.inputs)


@pytest.mark.parametrize("index", [2, -1])
def test_a_run_that_does_not_exist_is_refused(index: int) -> None:
    specimen = zoo.shared_first_run()
    with pytest.raises(ValueError, match=f"call_index must be from 0 to 1 .*not {index}"):
        GradCAM(specimen.model, "features", call_index=index)(specimen.inputs)


class Branching(zoo.Subclassed):
    """Runs the layer to explain in a branch of the graph."""

    @tf.function
    def call(self, x: Any) -> Any:
        x = self.stem(x)
        features = self.features(x) if tf.reduce_max(x) > 1 else self.features(-x)
        return self.scores(self.pool(self.mix(features)))


def test_a_layer_in_a_branch_is_refused() -> None:
    model = zoo.built(Branching(zoo.Net().built()))
    with pytest.raises(ValueError, match=r"layer 'features' runs inside a tf\.cond"):
        GradCAM(model, "features", call_index=0)(zoo.images())


def test_a_layer_behind_a_branch_is_explained() -> None:
    net = zoo.Net().built()
    model = zoo.built(Branching(net))
    images = zoo.images()
    features = net.features(net.stem(images)).numpy()
    with tf.GradientTape() as tape:
        mixed = net.mix(features)
        tape.watch(mixed)
        scores = net.scores(net.pool(mixed))._keras_logits[:, 1]
    wanted = (mixed * tape.gradient(scores, mixed)).numpy().sum(-1)
    close(HiResCAM(model, "mix")(images, 1).maps, wanted)


def test_several_outputs_ask_for_one() -> None:
    specimen = zoo.output_by_key()
    with pytest.raises(ValueError, match="2 outputs; choose one by output=.*'verdict'"):
        GradCAM(specimen.model, "mix")(specimen.inputs)


def test_a_target_may_read_several_outputs() -> None:
    specimen = zoo.output_by_key()

    def both(outputs: Any, classes: tf.Tensor) -> tf.Tensor:
        return outputs["angle"][:, 0] + targets.logit(outputs["verdict"], classes)

    def angle(outputs: Any, classes: tf.Tensor) -> tf.Tensor:
        return outputs["angle"][:, 0]

    maps = [
        HiResCAM(specimen.model, "features", target=target, output=output)(specimen.inputs, 2).maps
        for target, output in ((both, None), (angle, None), (None, "verdict"))
    ]
    close(maps[0], maps[1] + maps[2])


def test_one_unit_without_a_sigmoid_has_one_class_unless_told() -> None:
    specimen = zoo.regression()
    with pytest.raises(ValueError, match=r"from 0 to 0; received 1; .*target=targets\.binary"):
        GradCAM(specimen.model, "features")(specimen.inputs, 1)


def test_the_graph_tells_the_grid_of_patches_that_are_not_square() -> None:
    specimen = zoo.transformer_with_grid()
    told = GradCAM(specimen.model, "seen_2", grid=(3, 8))(specimen.inputs)
    found = GradCAM(specimen.model, "seen_2")(specimen.inputs)
    np.testing.assert_array_equal(found.heatmaps, told.heatmaps)
    with pytest.raises(ValueError, match=r"grid=\(5, 8\) is not how .* into \(3, 8\)"):
        GradCAM(specimen.model, "seen_2", grid=(5, 8))(specimen.inputs)


@pytest.mark.parametrize(
    ("grid", "message"),
    [(None, r"give their rows and columns by grid="), ((5, 8), r"grid=\(5, 8\) has 40 places")],
)
def test_tokens_that_fit_no_grid_are_refused(grid: Any, message: str) -> None:
    """Sorted patches lie nowhere, so that the number of tokens is all that is known."""
    inputs = keras.Input((12, 16, 3))
    x = layers.Reshape((24, 4))(layers.Conv2D(4, (4, 2), (4, 2))(inputs))
    x = layers.Lambda(lambda x: tf.sort(x, 1), name="sorted")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
    with pytest.raises(ValueError, match=message):
        GradCAM(model, "sorted", grid=grid)(np.ones((1, 12, 16, 3)), 0)


@pytest.mark.parametrize("layer", ["scores", "pool"])
def test_a_layer_without_a_grid_is_refused(layer: str) -> None:
    specimen = zoo.functional()
    with pytest.raises(ValueError, match=f"layer '{layer}' returns .* no grid"):
        GradCAM(specimen.model, layer)(specimen.inputs)
