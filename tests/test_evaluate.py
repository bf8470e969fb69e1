"""Comparing methods: the metrics' own figures, the bootstrap's intervals."""

import json
import pickle

import keras
import numpy as np
import pytest
from keras import layers as L
from scipy.stats import spearmanr

import kerascam
from kerascam import GradCAM, GradientTimesInput, Saliency, evaluate, metrics, targets
from kerascam.evaluating.baselines import BASELINES
from kerascam.evaluating.bootstrap import drawn_means

COUNT, SIDE = 7, 8
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((COUNT, SIDE, SIDE, 3)).astype("float32")
MASKS = np.zeros((COUNT, SIDE, SIDE), bool)
MASKS[:, 2:5, 3:7] = True
CLASSES = np.arange(COUNT) % 3
METRICS = ["deletion", "insertion", "mass_in_mask", "sparseness", "adcc", "pixel_flipping"]


def small(seed=0, activation="softmax"):
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            L.Conv2D(4, 3, padding="same", activation="relu", name="last"),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation=activation),
        ]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def explainers(model):
    return [GradCAM(model), Saliency(model)]


@pytest.fixture(scope="module")
def evaluation(explainers):
    return evaluate(explainers, IMAGES, CLASSES, MASKS, METRICS, batch_size=3)


# ---------------------------------------------------------------------------------- the figures


def test_the_figures_are_those_of_the_metrics_alone(model, explainers, evaluation):
    def probability(copies):
        flat = model.predict(copies.reshape(-1, SIDE, SIDE, 3), verbose=0)
        return flat.reshape(*copies.shape[:2], 3)[:, np.arange(COUNT), CLASSES]

    for name, explainer in zip(evaluation.methods, explainers, strict=True):
        heatmaps = explainer(IMAGES, CLASSES).heatmaps
        wanted = metrics.deletion(probability, IMAGES, heatmaps)
        np.testing.assert_allclose(evaluation.of(name, "deletion"), wanted, atol=1e-5)
        np.testing.assert_array_equal(
            evaluation.of(name, "mass_in_mask"), metrics.mass_in_mask(heatmaps, MASKS)
        )


def test_the_model_is_asked_once_about_an_image(model, monkeypatch):
    asked = []
    answers_of = kerascam.evaluating.memory.answers_of

    def counting(judge, images, classes):
        asked.append(len(images))
        return answers_of(judge, images, classes)

    monkeypatch.setattr("kerascam.evaluating.memory.answers_of", counting)
    steps = {"steps": 8}
    one = {"deletion": steps}
    both = {"symmetric_relevance_gain": steps, "deletion": steps, "pixel_flipping": steps}
    alone = evaluate(GradCAM(model), IMAGES, CLASSES, metrics=one)
    assert sum(asked) <= COUNT * (2 + 5 * 7)  # the image and nothing are the same for all five
    asked.clear()
    found = evaluate(GradCAM(model), IMAGES, CLASSES, metrics=both)
    assert sum(asked) <= COUNT * (2 + 5 * 2 * 7)
    np.testing.assert_allclose(
        found.of("grad_cam", "deletion"), alone.of("grad_cam", "deletion"), atol=1e-6
    )


def test_logits_and_probabilities_are_both_handed(model, evaluation):
    """Pixel flipping in one step: half of what the logit loses."""
    whole = GradCAM(model).score(IMAGES, CLASSES)
    nothing = GradCAM(model).score(
        np.broadcast_to(IMAGES.mean((1, 2), keepdims=True), IMAGES.shape), CLASSES
    )
    found = evaluate(GradCAM(model), IMAGES, CLASSES, metrics={"pixel_flipping": {"steps": 1}}).of(
        "grad_cam", "pixel_flipping"
    )
    defined = np.isfinite(found)
    np.testing.assert_allclose(found[defined], ((whole - nothing) / 2)[defined], atol=1e-5)


def test_neither_batches_nor_neighbours_matter(explainers, evaluation):
    alone = evaluate(explainers, IMAGES[4:5], CLASSES[4:5], MASKS[4:5], METRICS)
    np.testing.assert_allclose(alone.figures, evaluation[4].figures, atol=1e-5)


def test_predicted_classes_are_one_question_for_all(model, explainers):
    found = evaluate(explainers, IMAGES, metrics="entropy")
    wanted = model.predict(IMAGES, verbose=0).argmax(1)
    np.testing.assert_array_equal(found.classes, wanted)
    one = evaluate(explainers, IMAGES, 2, metrics="entropy")
    assert one.classes.tolist() == [2] * COUNT


def test_signed_maps_reach_metrics_that_need_them(model):
    """Attributions are the maps before scaling: of gradient times input, their sum is linear."""
    from kerascam.metrics import METRICS as TABLE

    @TABLE.register(title="Total", higher_is_better=True, bounds=(None, None), citation=None)
    def total(attributions):
        """Sum all."""
        return attributions.sum((1, 2)).astype(float)

    try:
        found = evaluate(GradientTimesInput(model), IMAGES, CLASSES, metrics=["total"])
    finally:
        del TABLE._entries["total"]
    raw = GradientTimesInput(model, normalize="none")(IMAGES, CLASSES).heatmaps
    assert (raw < 0).any()
    np.testing.assert_allclose(
        found.of("gradient_times_input", "total"), raw.sum((1, 2)), rtol=1e-5
    )


def test_baselines_know_nothing_of_the_model(evaluation):
    assert evaluation.baselines == ("uniform", "centered_gaussian", "random", "edges")
    np.testing.assert_allclose(evaluation.of("uniform", "mass_in_mask"), MASKS[0].mean())
    assert np.isnan(evaluation.of("uniform", "deletion")).all()
    assert "in no order" in evaluation.reasons[2, 0, 0]
    _, draw = BASELINES["random"]
    np.testing.assert_array_equal(draw(IMAGES, 3)[2:4], draw(IMAGES[2:4], 3))
    assert not np.array_equal(draw(IMAGES, 3), draw(IMAGES, 4))
    ramp = np.broadcast_to(np.arange(5.0)[None, :, None, None] ** 2, (1, 5, 4, 2))
    _, edges = BASELINES["edges"]
    np.testing.assert_allclose(edges(ramp, 0)[0, :, 0], np.array([1, 2, 4, 6, 7]) / 7)
    _, blob = BASELINES["centered_gaussian"]
    heat = blob(np.zeros((1, 8, 4, 1)), 0)[0]
    assert heat[0, 1] == pytest.approx(np.exp(-((3.5 / 2) ** 2 + 0.5**2) / 2))


# ------------------------------------------------------------------------------------- intervals


def test_intervals_are_those_of_the_bootstrap():
    figures = np.array([[0.0, 1.0, 2.0, 6.0], [1.0, np.nan, np.nan, np.nan]])
    draws = drawn_means(figures, 5, 3)
    chosen = np.random.default_rng(3).integers(4, size=(5, 4))
    np.testing.assert_allclose(draws[:, 0], figures[0][chosen].mean(1))
    assert (np.isnan(draws[:, 1]) == ~(chosen == 0).any(1)).all()
    assert (draws[:, 1][np.isfinite(draws[:, 1])] == 1).all()


def test_intervals_cover_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(1)
    figures = rng.exponential(size=(300, 50))
    draws = np.stack([drawn_means(each[None], 400, 7)[:, 0] for each in figures])
    low, high = np.percentile(draws, [2.5, 97.5], axis=1)
    assert 0.89 <= np.mean((low <= 1) & (high >= 1)) <= 0.98


def test_differences_are_paired(evaluation):
    found = evaluation.difference("grad_cam", "saliency", "sparseness")
    apart = evaluation.of("grad_cam", "sparseness") - evaluation.of("saliency", "sparseness")
    assert found.value == pytest.approx(np.nanmean(apart))
    mean, other = (evaluation.mean(name, "sparseness") for name in ("grad_cam", "saliency"))
    draws = drawn_means(apart[None], 2000, 0)[:, 0]
    assert found.low == pytest.approx(np.nanpercentile(draws, 2.5))
    assert mean.low <= mean.value <= mean.high and other.count == COUNT


def test_agreement_is_spearman_s(evaluation):
    found = evaluation.agreement()
    means = {
        metric: [evaluation.mean(name, metric).value for name in evaluation.subjects]
        for metric in METRICS
    }
    for (one, other), value in found.items():
        pair = np.array([means[one], means[other]])
        pair = pair[:, np.isfinite(pair).all(0)]
        sign = -1 if (one == "deletion") != (other == "deletion") else 1
        assert value.value == pytest.approx(sign * spearmanr(*pair).statistic, abs=1e-12)
        assert value.count == pair.shape[1]


def test_the_best_is_of_the_methods_alone(evaluation):
    for metric in METRICS:
        means = {name: evaluation.mean(name, metric).value for name in evaluation.methods}
        best = min if metric == "deletion" else max
        assert evaluation.best(metric) == best(means, key=means.get)


# ----------------------------------------------------------------------------------- other forms


def test_tables(evaluation):
    lines = evaluation.table().splitlines()
    assert lines[0].startswith("|  | Deletion ↓ | Insertion ↑ | Mass in mask ↑")
    assert lines[2].startswith("| Grad-CAM |") and "| Uniform map | – | – |" in lines[4]
    assert all(len(line.split("|")) == len(METRICS) + 3 for line in lines[:8])
    assert any(line.startswith("- Uniform map, Deletion, Insertion, ") for line in lines)
    rich = evaluation.table("rich")
    assert len(rich.columns) == len(METRICS) + 1 and rich.row_count == 6
    frame = evaluation.to_dataframe()
    assert len(frame) == 6 * len(METRICS) * COUNT
    row = frame[(frame.method == "saliency") & (frame.metric == "adcc") & (frame.image == 2)]
    assert row.figure.item() == evaluation.of("saliency", "adcc")[2]
    assert "<table>" in evaluation._repr_html_()
    assert "| Saliency | – |" in evaluation[:0].table()  # none was chosen
    again = pickle.loads(pickle.dumps(evaluation))
    assert again.table() == evaluation.table()


def test_a_folder_holds_all_of_it(evaluation, tmp_path):
    page = evaluation.save(tmp_path / "out")
    text = page.read_text("utf-8")
    assert text.count("<img") == 1 and "data:image/png" in text and 'src="http' not in text
    assert ("Centered Gaussian" in text and "contradict" in text) or "agree" in text
    content = json.loads((page.parent / "evaluation.json").read_text("utf-8"))
    mean = content["metrics"]["deletion"]["means"]["grad_cam"]
    assert mean["value"] == evaluation.mean("grad_cam", "deletion").value
    assert content["metrics"]["deletion"]["means"]["uniform"]["value"] is None
    arrays = np.load(page.parent / "evaluation.npz")
    np.testing.assert_array_equal(arrays["figures"], evaluation.figures)
    assert (page.parent / "table.md").read_text("utf-8") == evaluation.table()
    assert evaluation[:3].save(page.parent) == page  # replaces its own
    other = tmp_path / "other"
    other.mkdir()
    (other / "table.md").write_text("mine")
    with pytest.raises(ValueError, match=r"holds table.md, which kerascam did not write"):
        evaluation.save(other)
    assert (other / "table.md").read_text() == "mine" and len(list(other.iterdir())) == 1


def test_progress_and_ctrl_c(explainers):
    made = []
    evaluate(
        explainers, IMAGES, metrics=["entropy"], batch_size=4, progress=lambda *x: made.append(x)
    )
    assert made == [(step, 12) for step in range(1, 13)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(explainers, IMAGES, metrics=["entropy"], progress=stop)


def test_a_model_without_probabilities_says_so():
    logits = small(activation=None)
    found = evaluate(GradCAM(logits), IMAGES, metrics=["deletion", "pixel_flipping"])
    assert np.isnan(found.of("grad_cam", "deletion")).all()
    varied = [why for why in found.reasons[0, 0] if "in no order" not in why]
    assert varied and all("no probability" in why for why in varied)
    assert np.isfinite(found.of("grad_cam", "pixel_flipping")).any()


# -------------------------------------------------------------------------------------- mistakes


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"explainers": []}, "explainers must hold at least one"),
        ({"explainers": "grad_cam"}, "explainers must be an explainer, a list or a dict"),
        ({"explainers": ["grad_cam"]}, r"as GradCAM\(model\) makes one; received 'grad_cam'"),
        ({"images": IMAGES[..., :2]}, "images must have shape"),
        ({"masks": MASKS[:2]}, r"masks must have the shape .*\(7, 8, 8\); received \(2, 8, 8\)"),
        ({"masks": MASKS * 255}, "masks must be True or False, or 0 and 1"),
        ({"metrics": ["deleton"]}, "did you mean 'deletion'"),
        ({"metrics": []}, "metrics must name at least one"),
        ({"metrics": ["pointing_game"]}, "metrics has 'pointing_game', which needs masks="),
        ({"metrics": {"deletion": {"step": 3}}}, "Deletion has no option 'step'; .*steps"),
        ({"metrics": {"deletion": 3}}, "metrics must map 'deletion' to a dict of options"),
        ({"classes": [1, 2]}, "one per image: 7; received shape"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"checkpoint": 3}, "checkpoint must be a path"),
        ({"checkpoint": ""}, "checkpoint must be the path of a file or folder"),
    ],
)
def test_mistakes(model, changes, message):
    arguments = {"explainers": GradCAM(model), "images": IMAGES, "metrics": ["entropy"]}
    with pytest.raises((TypeError, ValueError), match=message):
        evaluate(**(arguments | changes))


def test_explainers_that_do_not_compare(model):
    with pytest.raises(ValueError, match="explainers has 2 of method 'grad_cam': give a dict"):
        evaluate([GradCAM(model), GradCAM(model)], IMAGES)
    with pytest.raises(ValueError, match="explainers must be of one model"):
        evaluate([GradCAM(model), Saliency(small(1))], IMAGES)
    with pytest.raises(ValueError, match="must have the same target="):
        evaluate([GradCAM(model), Saliency(model, target=targets.probability)], IMAGES)
    with pytest.raises(ValueError, match="'uniform', which is a baseline's name"):
        evaluate({"uniform": GradCAM(model)}, IMAGES)
    two = evaluate({"a": GradCAM(model), "b": GradCAM(model)}, IMAGES, metrics="entropy")
    assert two.methods == ("a", "b") and two.titles["a"] == "a"


def test_metrics_as_people_write_them(model):
    written = ["Deletion", "Pointing Game", "μ-fidelity", metrics.entropy, "entropy", "F-Fidelity"]
    found = evaluate(GradCAM(model), IMAGES[:1], 0, MASKS[:1], written)
    assert found.metrics == ("deletion", "pointing_game", "mu_fidelity", "entropy", "f_fidelity")
    every = evaluate(GradCAM(model), IMAGES[:3], CLASSES[:3], MASKS[:3], metrics.METRICS)
    assert every.metrics == tuple(metrics.METRICS)


@pytest.mark.usefixtures("unchecked")
def test_names_that_are_not_there(evaluation):
    with pytest.raises(ValueError, match="method must be one of grad_cam, saliency, uniform"):
        evaluation.mean("layer_cam", "deletion")
    with pytest.raises(ValueError, match="metric must be one of deletion"):
        evaluation.best("auc")
    with pytest.raises(ValueError, match="style must be 'markdown' or 'rich'"):
        evaluation.table("plain")


# --------------------------------------------------------------------------------- other inputs

ALIKE = ["deletion", "mu_fidelity", "mass_in_mask", "focus", "mprt_cascading", "random_logit"]


def test_channels_may_stand_first(model):
    """The same network over transposed images has the same figures."""
    inputs = keras.Input((3, SIDE, SIDE))
    first = keras.Model(inputs, model(L.Permute((2, 3, 1))(inputs)))
    turned = np.moveaxis(IMAGES, -1, 1)
    arguments = CLASSES, MASKS, ALIKE
    wanted = evaluate(Saliency(model), IMAGES, *arguments)
    found = evaluate(Saliency(first, axes="chw"), turned, *arguments)
    np.testing.assert_allclose(found.figures, wanted.figures, atol=2e-5)
    assert found.baselines == wanted.baselines and np.isfinite(found.figures[0]).all()


def test_a_model_of_a_fixed_batch(model):
    inputs = keras.Input(batch_shape=(2, SIDE, SIDE, 3))
    fixed = keras.Model(inputs, model(inputs))
    found = evaluate(Saliency(fixed), IMAGES[:4], 0, metrics="entropy", batch_size=2)
    wanted = evaluate(Saliency(model), IMAGES[:4], 0, metrics="entropy")
    np.testing.assert_allclose(found.figures, wanted.figures, atol=1e-5)


@pytest.mark.parametrize("kind", [list, dict])
def test_one_of_several_inputs_is_explained_and_the_others_stay(model, kind):
    """Images beside numbers that turn the scores over: figures are those of each half alone."""
    images, sign = keras.Input((SIDE, SIDE, 3), name="images"), keras.Input((1,), name="sign")
    hidden = keras.Model(model.inputs, model.layers[-2].output)(images)
    logits = keras.layers.Dense(3, name="logits")(hidden)
    outputs = L.Softmax()(logits * sign)
    both = keras.Model(
        {"images": images, "sign": sign} if kind is dict else [images, sign], outputs
    )
    both.get_layer("logits").set_weights(model.layers[-1].get_weights())
    opposite = small()
    opposite.layers[-1].set_weights([-weight for weight in model.layers[-1].get_weights()])
    signs = np.where(np.arange(COUNT) < 4, 1.0, -1.0).astype("float32")[:, None]
    given = {"images": IMAGES, "sign": signs} if kind is dict else [IMAGES, signs]
    metrics = ["deletion", "mu_fidelity", "mass_in_mask", "adcc"]
    found = evaluate(
        [Saliency(both, input="images"), GradCAM(both, input="images")], given, CLASSES, MASKS,
        metrics, batch_size=3,
    )  # fmt: skip
    for part, alone in ((slice(0, 4), model), (slice(4, 7), opposite)):
        wanted = evaluate(Saliency(alone), IMAGES[part], CLASSES[part], MASKS[part], metrics)
        np.testing.assert_allclose(found.figures[0, :, part], wanted.figures[0], atol=2e-5)


def test_explainers_of_different_inputs_do_not_compare():
    a, b = keras.Input((8, 8, 3), name="a"), keras.Input((8, 8, 3), name="b")
    one, two = L.Conv2D(2, 3, name="one")(a), L.Conv2D(2, 3, name="two")(b)
    model = keras.Model([a, b], L.Dense(2)(L.GlobalAveragePooling2D()(L.Add()([one, two]))))
    with pytest.raises(ValueError, match="Saliency explains 'a', Grad-CAM 'b'; give all of them"):
        evaluate([Saliency(model), GradCAM(model, "two")], [IMAGES, IMAGES], metrics="entropy")
