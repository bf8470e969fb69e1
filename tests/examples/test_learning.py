"""What training is made of: the schedule, the average, the teacher."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_classification.networks.residual import residual_network
from scene_classification.training.average import MovingAverage, values_of
from scene_classification.training.build import begin_with
from scene_classification.training.distillation import Distillation, read_teachers, soften
from scene_classification.training.schedule import WarmupCosine

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 32, 32, 3)).astype(np.float32)


@given(st.integers(0, 120), st.integers(0, 20))
def test_the_learning_rate_rises_and_falls(step, warmup):
    rate = float(WarmupCosine(0.1, warmup, 100)(step))
    if step < warmup:
        expected = 0.1 * (step + 1) / warmup
    else:
        expected = 0.05 * (1 + np.cos(np.pi * min((step - warmup) / (100 - warmup), 1)))
    assert rate == pytest.approx(expected, abs=1e-7)


def test_the_schedule_survives_being_saved():
    schedule = WarmupCosine(0.1, 3, 100)
    again = WarmupCosine.from_config(schedule.get_config())
    assert float(again(40)) == float(schedule(40))


def test_the_average_follows_its_formula_and_stands_in_for_the_weights():
    network = residual_network("tiny", input_shape=(32, 32, 3))
    average = MovingAverage(network, 0.9, every=2)
    expected = values_of(network.variables)
    for step in range(1, 7):
        for variable in network.variables:
            variable.assign_add(keras.ops.full(variable.shape, step, variable.dtype))
        average.on_train_batch_end(step)
        if step % 2 == 0:
            momentum = min(0.9**2, (1 + step // 2) / (10 + step // 2))
            now = values_of(network.variables)
            expected = [
                momentum * old + (1 - momentum) * new
                for old, new in zip(expected, now, strict=True)
            ]
    weights = values_of(network.variables)
    average.on_test_begin()
    for variable, value in zip(values_of(network.variables), expected, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-5, atol=1e-5)
    average.on_test_end()
    for variable, value in zip(values_of(network.variables), weights, strict=True):
        np.testing.assert_array_equal(variable, value)


@given(st.floats(1, 8), st.integers(0, 9))
def test_softened_probabilities_are_the_softmax_of_the_logits_over_t(temperature, seed):
    logits = np.random.default_rng(seed).normal(0, 2, (4, 6)).astype(np.float32)
    soft = soften(keras.ops.softmax(logits), temperature)
    expected = keras.ops.softmax(logits / temperature)
    np.testing.assert_allclose(soft, expected, atol=1e-5)


def test_the_loss_of_a_student_is_the_formula():
    student, teacher = (residual_network("tiny", input_shape=(32, 32, 3)) for _ in range(2))
    model = Distillation(student, teacher, weight=0.7, temperature=3.0)
    model.compile(loss="categorical_crossentropy")
    labels = np.eye(6, dtype=np.float32)
    answer = np.asarray(student(PIXELS))
    p, q = (
        (lambda powers: powers / powers.sum(1, keepdims=True))(probabilities ** (1 / 3))
        for probabilities in (answer, np.asarray(teacher(PIXELS)))
    )
    hard = -np.log(answer[labels == 1]).mean()
    soft = (q * np.log(q / p)).sum(1).mean()
    loss = model.compute_loss(PIXELS, labels, student(PIXELS), training=True)
    assert float(loss) == pytest.approx(0.3 * hard + 0.7 * 9 * soft, rel=1e-4)
    held = model.compute_loss(PIXELS, labels, student(PIXELS), training=False)
    assert float(held) == pytest.approx(hard, rel=1e-5)
    assert soft > 0


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two classifiers of 48-pixel images, with statistics unlike those of networks just made."""
    folder, networks = tmp_path_factory.mktemp("teachers"), []
    for number in range(2):
        network = residual_network("tiny", input_shape=(48, 48, 3))
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_mean.assign(RANDOM.normal(0, 0.1, layer.moving_mean.shape))
                layer.gamma.assign(RANDOM.uniform(0.5, 1.5, layer.gamma.shape))
        network.save(folder / f"{number}.keras")
        networks.append(network)
    return folder, networks


def answers(network, images):
    """What a network answers to images of any size."""
    free = residual_network("tiny", input_shape=(None, None, 3))
    free.set_weights(network.get_weights())
    return np.asarray(free(images))


def test_a_teacher_read_from_a_file_answers_as_it_did(saved):
    folder, (network, _) = saved
    crops = RANDOM.uniform(0, 255, (6, 42, 42, 3)).astype(np.float32)  # 7/8 of 48 pixels
    teacher = read_teachers([folder / "0.keras"], 48)
    np.testing.assert_allclose(teacher(crops), answers(network, crops), atol=1e-5)
    with pytest.raises(FileNotFoundError, match=r"teacher='.*gone.keras' does not exist"):
        read_teachers([folder / "gone.keras"], 48)


def test_two_teachers_answer_with_the_mean_of_both(saved):
    folder, networks = saved
    crops = RANDOM.uniform(0, 255, (6, 42, 42, 3)).astype(np.float32)
    one, other = (answers(network, crops) for network in networks)
    pair = read_teachers([folder / "0.keras", folder / "1.keras"], 48)
    np.testing.assert_allclose(pair(crops), (one + other) / 2, atol=1e-5)
    assert np.abs(one - other).max() > 0.01


def test_a_teacher_of_larger_images_sees_a_smaller_students_crops_enlarged(saved):
    folder, (network, _) = saved
    crops = np.full((2, 28, 28, 3), 40, np.float32)  # 7/8 of 32 pixels; one color stays one
    crops[1] = 200
    teacher = read_teachers([folder / "0.keras"], 32)
    enlarged = np.broadcast_to(crops[:, :1, :1], (2, 42, 42, 3))
    np.testing.assert_allclose(teacher(crops), answers(network, enlarged), atol=1e-5)


def test_a_network_begins_with_the_weights_of_a_trained_one(saved):
    folder, (trained, _) = saved
    network = residual_network("tiny", input_shape=(None, None, 3))
    begin_with(str(folder / "0.keras"), network)
    for ours, theirs in zip(network.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_it_begins_with_no_network_of_another_size(saved):
    folder, _ = saved
    small = residual_network("small", input_shape=(None, None, 3))
    with pytest.raises(ValueError, match=r"start='.*0.keras' has weights of other shapes; give a"):
        begin_with(str(folder / "0.keras"), small)
    with pytest.raises(FileNotFoundError, match=r"start='gone.keras' does not exist; give a saved"):
        begin_with("gone.keras", small)
