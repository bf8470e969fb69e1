"""The numbers of the comparison with other libraries, and how it asks those of one class a call."""

import sys
import types

import numpy as np
import pytest
import tensorflow as tf
import zoo

from benchmarks.peers import kinds, measuring, turns
from benchmarks.peers.cases import Case
from benchmarks.peers.once import middle
from benchmarks.peers.turns import Spread, compared, spread, take_turns


def test_quartiles():
    assert spread([4.0, 1.0, 2.0, 3.0]) == Spread(1.75, 2.5, 3.25)
    assert spread([2.0]) == Spread(2.0, 2.0, 2.0)


def test_a_ratio_is_taken_round_by_round():
    taken = {"TensorFlow": [1.0, 2.0, 4.0], "kerascam": [2.0, 2.0, 2.0]}
    found = compared("kerascam", taken)
    assert found.seconds.median == 2.0
    assert found.ratio == Spread(0.75, 1.0, 1.5)  # of 2, 1 and 0.5


class Answering:
    """A library's process that answers what it is given."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def tell(self, **request):
        assert request == {"do": "run"}

    def answer(self):
        return self.answers.pop(0)


def test_a_library_that_fails_loses_its_own_row_alone(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE", 0)
    steady = Answering(*[{"seconds": 1.0 + turn, "peak_mib": 9.0 - turn} for turn in range(5)])
    broken = Answering({"seconds": 9.0, "peak_mib": 1.0}, {"error": "ValueError: no"})
    taken, failed, peaks = take_turns({"steady": steady, "broken": broken}, rounds=5, seconds=1e9)
    assert taken == {"steady": [1.0, 2.0, 3.0, 4.0, 5.0]}
    assert failed == {"broken": "ValueError: no"}
    assert peaks == {"steady": 9.0, "broken": 1.0}


def test_first_calls_have_a_median_and_a_range():
    each = [{"first_s": first, "peak_mib": 10 * first, "runs": [1, 0]} for first in (3.0, 1.0, 2.0)]
    found = {"first_s": 2.0, "first_range_s": [1.0, 3.0], "peak_mib": 20.0, "runs": [1, 0]}
    assert middle(each) == found
    assert middle([each[0], {"error": "killed"}]) == {"error": "killed"}


# ------------------------------------------------------------------------------- the libraries


def hand_made(model, layer, inputs, index):
    """A Grad-CAM as a library would make it: of one class, on the layer's grid."""
    import keras

    first, *more = model.inputs
    found = keras.Model(model.inputs if more else first, [layer.output, model.outputs[0]])
    with tf.GradientTape() as tape:
        features, outputs = found(inputs)
        tape.watch(features)
        score = outputs[:, index]
    gradients = tape.gradient(score, features)
    weights = tf.reduce_mean(gradients, range(1, len(features.shape) - 1), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * features, -1)).numpy()


def eli5_itself(model, doc, targets, layer, image):
    assert isinstance(doc, np.ndarray) and len(doc) == 1  # as it insists
    (index,) = targets
    target = types.SimpleNamespace(heatmap=hand_made(model, layer, doc, index)[0])
    return types.SimpleNamespace(targets=[target])


class MedicaiItself:
    def __init__(self, model, target_layer):
        self.model, self.layer = model, model.get_layer(target_layer)

    def compute_heatmap(self, inputs, target_class_index, normalize_heatmap, resize_heatmap):
        assert not normalize_heatmap and not resize_heatmap
        return hand_made(self.model, self.layer, inputs, target_class_index)[..., None]


@pytest.fixture
def libraries(monkeypatch):
    """Stand-ins for the two libraries that take one class a call, as they are not installed."""
    utils = types.SimpleNamespace(GradCAM=MedicaiItself)
    for name, module in {
        "eli5": types.SimpleNamespace(explain_prediction=eli5_itself),
        "medicai": types.SimpleNamespace(utils=utils),
        "medicai.utils": utils,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize(
    ("peer", "kind", "verdict"),
    [
        ("eli5", "functional", "right"),
        ("eli5", "inputs_in_list", "refused"),
        ("medicai", "functional", "right"),
        ("medicai", "inputs_in_list", "right"),
        ("medicai", "three_dimensions", "right"),
        ("medicai", "nested", "refused"),
    ],
)
def test_a_library_of_one_class_a_call_is_asked_for_each_image(peer, kind, verdict):
    assert kinds.best(peer, zoo.KINDS[kind])[0] == verdict


def test_metrics_are_compared_for_as_many_images_as_were_asked_for() -> None:
    def times(**seconds: float) -> dict[str, turns.Time]:
        return {
            f"{name} metrics": turns.Time(Spread(*[each] * 3), Spread(1, 1, 1), 100.0)
            for name, each in seconds.items()
        }

    found = {
        Case("MobileNetV2", "Deletion", 8): times(kerascam=2.0, quantus=3.0, xplique=1.0),
        Case("MobileNetV2", "ROAD", 8): times(kerascam=3.0),
        Case("MobileNetV2", "ROAD", 1): times(kerascam=1.0, quantus=10.0),
        Case("MobileNetV2", "Deletion, 10 steps", 32): times(kerascam=1.0),
    }
    (first, second) = measuring.goals(found, 8)
    assert first[1:] == ("17 (5 s; 83 s)", True)  # 3 + 8 x 10 beside 2 + 3
    assert second[1:] == ("0.50 times as fast", False)
    assert "| 32 images, 10 steps | 100 |" in measuring.memory_table(found)
