"""What every registered method owes its user, whatever it computes."""

import inspect
import pydoc
import re
import sys
from typing import get_args, get_type_hints

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import wide

import kerascam
from kerascam.estimates import as_estimate
from kerascam.explain import Explainer, NamedExplainer
from kerascam.explain.documentation import entries, sections
from kerascam.maps import normalize
from kerascam.registry import METHODS, Citation

EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)


# Every law is tried on every method, so that few examples of each do.
FEWER = settings(max_examples=wide(5, 100))


def slope(images):
    """The gradient by each pixel of the score: the sum of x² / 2 - cos 3x."""
    return images + 3 * tf.sin(3 * images)


class Case:
    """Activations behind a ReLU, gradients and a localization; or images of the same shape."""

    def __init__(self, seed, batch, grid, features):
        rng = np.random.default_rng(seed)
        self.activations = np.maximum(rng.normal(size=(batch, *grid, features)), 0)
        self.activations[..., 0] += 0.1  # no image is black all over
        self.gradients = rng.normal(size=self.activations.shape)
        self.localization = rng.random(self.activations.shape[:-1])
        self.matrix = rng.random((batch, 2, 4, 4))

    def moved(self, move):
        """Apply the same move of axes or order to all arrays."""
        copy = object.__new__(Case)
        vars(copy).update({name: move(values) for name, values in vars(self).items()})
        return copy

    def scaled(self, factor):
        copy = self.moved(lambda values: values)
        copy.gradients = factor * self.gradients
        return copy


cases = st.builds(
    Case,
    seed=st.integers(0, 2**16),
    batch=st.integers(1, 3),
    grid=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    features=st.integers(1, 5),
)


# Coalitions must tell all segments apart: of two cells along each of three axes there are eight.
FEW = {"steps": 3, "samples": 3, "cells": 2}
ENOUGH = {"lime": {"samples": 60}, "kernel_shap": {"samples": 300}}
# Their masks are drawn for places of the image, and do not move with what is there.
OF_RANDOM_MASKS = {"rise", "lime", "kernel_shap", "sobol_attribution", "hsic_attribution"}
# A softmax weighs what a score gains, and knows its unit.
OF_SOFTMAX = {"score_cam", "faster_score_cam", "ss_cam", "is_cam"}
# Raw maps are scores, of which zero means nothing.
OF_SCORES = {"rise", "recipro_cam"}


def own_axes(values, rank):
    """The axes of one image, of a batch with `rank` axes or of copies of it."""
    return list(range(len(values.shape) - rank + 1, len(values.shape)))


def call(method, case, factor=1.0, dtype=tf.float64, **options):
    """Hand a method what it asks for; its scores are those whose gradient is `slope`."""
    few = FEW | ENOUGH.get(method.name, {})
    options = {name: few[name] for name in method.options if name in few} | options
    activations = tf.constant(case.activations, dtype)
    gradients = tf.constant(factor * case.gradients, dtype)
    rank = len(activations.shape)

    def score(images):
        each = images**2 / 2 - tf.cos(3 * images)
        return factor * tf.reduce_sum(each, own_axes(each, rank))

    def rest(features):
        products = gradients * features
        return tf.reduce_sum(products, own_axes(products, rank))

    matrices = (tf.constant(case.matrix, dtype),)
    supply = {
        "activations": activations,
        "gradients": gradients,
        "images": activations,
        "layers": ((activations, gradients),),
        "gradient": lambda x: factor * slope(x),
        "score": score,
        "rest": rest,
        "gradients_at": lambda x: gradients + 0 * x,
        "curvature": gradients / 2,
        "levels": ((activations, lambda maps: maps),),
        "multipliers": lambda x, start: factor * (slope(x) + slope(start)) / 2,
        "biases": ((gradients * activations, lambda maps: maps),),
        "bias_sum": tf.reduce_sum(gradients * activations, own_axes(activations, rank)),
        "scores": tf.reduce_sum(gradients * activations, own_axes(activations, rank)),
        "offset": tf.zeros(len(case.activations), dtype),
        "attentions": matrices,
        "attention_gradients": tuple(factor * each for each in matrices),
        "localization": tf.constant(case.localization, dtype),
        "enlarge": lambda maps: maps,
    }
    found = method.function(*(supply[name] for name in method.needs), **options)
    return as_estimate(found).maps.numpy()


def without_noise(method):
    # The noise of SmoothGrad belongs to a place, and does not move with the image.
    return {name: value for name, value in (("noise", 0.0), ("patch", 1)) if name in method.options}


@EVERY
@FEWER
@given(cases)
def test_maps_are_finite_and_on_the_grid(method, case):
    maps = call(method, case, dtype=tf.float32)
    if "cells" in method.options and method.name != "rise":  # on a grid of cells
        assert maps.shape == (
            len(case.activations),
            *(min(2, length) for length in case.activations.shape[1:-1]),
        )
    else:
        assert maps.shape == case.activations.shape[:-1]
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()
    if not method.signed:
        assert (maps >= 0).all()


@EVERY
def test_silence_stays_silent(method):
    case = Case(0, 2, (3, 3), 2).moved(np.zeros_like)
    found = call(method, case)
    if method.name in OF_SCORES:
        found = found - call(method, case)[:1]  # as silent as any other
    np.testing.assert_array_equal(found, 0)


@EVERY
@FEWER
@given(cases)
def test_an_image_alone_is_the_image_in_a_batch(method, case):
    together = call(method, case)
    for place in range(len(together)):
        alone = call(method, case.moved(lambda values, at=place: values[at : at + 1]))
        np.testing.assert_allclose(together[place], alone[0], atol=1e-9)


@EVERY
@FEWER
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_batch_is_the_order_of_the_maps(method, case, random):
    order = random.sample(range(len(case.activations)), len(case.activations))
    permuted = call(method, case.moved(lambda values: values[order]))
    np.testing.assert_allclose(permuted, call(method, case)[order], atol=1e-9)


@EVERY
@FEWER
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_features_does_not_matter(method, case, random):
    features = case.activations.shape[-1]
    order = random.sample(range(features), features)
    permuted = case.moved(lambda values: values)
    permuted.activations = case.activations[..., order]
    permuted.gradients = case.gradients[..., order]
    options = without_noise(method)
    found, wanted = call(method, permuted, **options), call(method, case, **options)
    np.testing.assert_allclose(found, wanted, atol=1e-8)


@EVERY
@FEWER
@given(cases, st.data())
def test_a_mirrored_image_has_the_mirrored_map(method, case, data):
    if method.name in OF_RANDOM_MASKS or "cells" in method.options:
        return  # nor do cells, where an odd number of pixels is cut in two
    axis = data.draw(st.integers(1, case.localization.ndim - 1))
    mirrored = case.moved(lambda values: np.flip(values, axis))
    options = without_noise(method)
    found, wanted = call(method, mirrored, **options), call(method, case, **options)
    np.testing.assert_allclose(found, np.flip(wanted, axis), atol=1e-8)


@EVERY
@FEWER
@given(cases, st.sampled_from([1e-4, 0.5, 3.0, 1e4]))
def test_a_scaled_score_has_the_same_heatmap(method, case, factor):
    if method.name in ("grad_cam_plus_plus", "smooth_grad_cam_plus_plus"):
        # Not so here, as r stands beside a constant in 2 + S r. What holds exactly is that the
        # map of c g on A is the map of g on c A: c r / (2 + S c r) · A, either way.
        scaled = call(method, case.scaled(factor))
        louder = case.moved(lambda values: values)
        louder.activations = factor * case.activations
        np.testing.assert_allclose(scaled, call(method, louder), rtol=1e-9)
        return
    if method.name in OF_SOFTMAX:
        return
    before = normalize(tf.constant(call(method, case))).numpy()
    after = normalize(tf.constant(call(method, case, factor))).numpy()
    np.testing.assert_allclose(after, before, atol=1e-7)


@given(cases)
def test_grad_cam_plus_plus_of_tiny_and_of_huge_gradients(case):
    method = METHODS["grad_cam_plus_plus"]
    axes = tuple(range(1, case.activations.ndim - 1))
    positive = np.maximum(case.gradients, 0)
    # c -> 0: c r / 2, the sum of the positive gradients. c -> infinity: 1 / S_A a positive place.
    small = (case.activations * positive.sum(axes, keepdims=True)).sum(-1) / 2
    np.testing.assert_allclose(call(method, case, 1e-9) / 1e-9, small, rtol=1e-6)
    totals = case.activations.sum(axes, keepdims=True)
    counts = (positive > 0).sum(axes, keepdims=True)
    shares = np.divide(case.activations, totals, out=0 * case.activations, where=totals > 0)
    np.testing.assert_allclose(call(method, case, 1e12), (shares * counts).sum(-1), rtol=1e-6)


# ------------------------------------------------------------------------------------- the facts


@EVERY
def test_it_says_what_it_is(method):
    assert method.title and method.summary
    assert METHODS[method.name] is method and method.function.__name__ == method.name


@EVERY
def test_it_has_a_class_of_its_own(method):
    """Which documents itself at run time: formula, paper, every argument with its default."""
    explainer = getattr(kerascam, method.class_name)
    assert explainer._method == method.name
    assert issubclass(explainer, kerascam.Explainer)
    text = inspect.getdoc(explainer)
    parts = sections(text)
    assert "$$" in parts[""] and ">>>" in parts["Example"] and parts["Raises"].strip()
    if method.citation is not None:
        assert method.citation.url in text
    known = inspect.signature(explainer).parameters
    said = entries(parts["Args"])
    assert list(said) == list(known)
    for name, parameter in known.items():
        if parameter.default not in (parameter.empty, None):
            assert f"Default: {parameter.default!r}." in " ".join(said[name].split())
    for name, default in method.options.items():
        assert known[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert known[name].default == default
    assert max(map(len, text.split("\n"))) <= 100


@EVERY
def test_its_own_defaults_pass_its_check(method):
    if method.check is not None:
        method.check(**method.options)


@EVERY
def test_its_constructor_is_its_functions_options_and_those_of_every_explainer(method):
    """Names, order, kinds and defaults: neither can change without the other."""
    kind = inspect.Parameter
    parameters = inspect.signature(getattr(kerascam, method.class_name)).parameters
    every = inspect.signature(Explainer.__init__).parameters
    found = list(parameters.values())
    of_layer = "layer" in parameters and parameters["layer"].kind is kind.POSITIONAL_OR_KEYWORD
    assert of_layer == method.of_layers
    first = ["model", "layer"] if of_layer else ["model"]
    names = list(parameters)
    assert names[: len(first)] == first
    assert names[len(first) : len(first) + len(method.options)] == list(method.options)
    shared = set(names) - set(method.options)
    expected = set(every) - {"self", "method", "options"}
    left_out = set() if of_layer else {"call_index", "grid", "place"}
    assert expected - shared in (left_out, left_out | ({"layer"} if not of_layer else set()))
    for name, each in parameters.items():
        assert each.kind is (kind.POSITIONAL_OR_KEYWORD if name in first else kind.KEYWORD_ONLY)
        if name in method.options:
            own = inspect.signature(method.function).parameters[name]
            assert (each.default, each.annotation) == (own.default, own.annotation)
        elif name == "normalize":
            assert each.default == method.normalize
        else:
            assert (each.default, each.annotation) == (every[name].default, every[name].annotation)
    assert kind.VAR_KEYWORD not in {each.kind for each in found}
    made = inspect.signature(getattr(kerascam, method.class_name).__init__).parameters
    assert list(made) == ["self", *parameters]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="it has no typing.Unpack")
def test_what_constructors_share_is_declared_as_it_is_taken():
    """An editor and mypy read the declarations, Python the parameters of the class above."""
    found = 0
    for base in [*NamedExplainer.__subclasses__()]:
        taken = {
            name: each
            for name, each in inspect.signature(base.__init__).parameters.items()
            if each.kind is each.KEYWORD_ONLY
        }
        for made in base.__subclasses__():
            shared = get_args(vars(made)["__init__"].__annotations__["shared"])[0]
            assert get_type_hints(shared) == {name: each.annotation for name, each in taken.items()}
            found += 1
    assert found > 15


@pytest.mark.parametrize(
    ("code", "name"),
    [("GradCAM(model, norm", "normalize="), ("GuidedGradCAM(model, None, local", "localizer="),
     ("RISE(model, prob", "probability="), ("RISE(model, class_n", "class_names="),
     ("SmoothGrad(model, lay", "layer="), ("ScoreCAM(model, pla", "place=")],
)  # fmt: skip
def test_an_editor_completes_each_argument(code, name):
    """Jedi reads the code as it stands, as an editor does, and runs nothing."""
    jedi = pytest.importorskip("jedi")
    script = jedi.Script(f"from kerascam import {code.partition('(')[0]}\nmodel = 1\n{code}")
    assert name in {each.name for each in script.complete()}


def test_help_shows_each_argument():
    text = pydoc.plain(pydoc.render_doc(kerascam.RISE))
    head = text.partition("|  Explain by RISE")[0]
    for name, parameter in inspect.signature(kerascam.RISE).parameters.items():
        assert re.search(rf"\b{name}\b", head), head
        assert (
            parameter.default in (inspect.Parameter.empty, None) or repr(parameter.default) in head
        )


def test_every_class_is_of_one_method():
    classes = [getattr(kerascam, name) for name in kerascam.__all__]
    bound = [each._method for each in classes if hasattr(each, "_method")]
    assert sorted(bound) == sorted(METHODS)


@EVERY
def test_it_cites_its_paper_or_says_that_there_is_none(method):
    if method.citation is None:
        assert "without a paper" in inspect.getdoc(method.function)
        return
    assert isinstance(method.citation, Citation)
    assert method.citation.url.startswith("https://")
    assert 2010 < method.citation.year < 2030
    first_author = method.citation.authors.replace(" and ", ", ").split(", ")[0]
    assert method.citation.short.startswith(first_author)
    assert method.citation.short.endswith(f", {method.citation.year}")
    assert method.citation.title and method.citation.venue


@EVERY
def test_its_facts_fit_together(method):
    """What is stated beside the function goes with what the function is handed."""
    if method.fuse is not None or method.requires is not None:
        assert method.of_each_layer
    if method.relu_rule is not None:
        assert "gradient" in method.needs  # only there does the rule pass a ReLU
    if "localization" in method.needs:
        assert METHODS[method.options["localizer"]].of_each_layer
