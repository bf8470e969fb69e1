import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import proof

from scene_classification.data.augmentation import Augmenter
from scene_classification.data.batches import (
    decode,
    decode_images,
    evaluation_batches,
    read_image,
    steps_per_epoch,
    training_batches,
)
from scene_classification.data.folder import Split

COUNT, BATCH, CLASSES = 22, 4, 3
STEPS = COUNT // BATCH


def numbered(count=COUNT, side=8):
    """Images of one gray level each: their number."""
    levels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(levels, (count, side, side, 3)).copy()


def noise(count=COUNT, side=16):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def untouched(step, images, labels):
    return images, labels


def serve(first, last, *, images=None, augmenter=untouched, seed=7):
    images = numbered() if images is None else images
    batches = training_batches(
        images,
        np.arange(len(images)) % CLASSES,
        CLASSES,
        batch_size=BATCH,
        augmenter=augmenter,
        seed=seed,
        first_step=first,
        last_step=last,
    )
    return [(x.numpy(), y.numpy()) for x, y in batches]


def orders(epochs, seed=7):
    levels = [x[:, 0, 0, 0] for x, _ in serve(0, epochs * STEPS, seed=seed)]
    return np.concatenate(levels).reshape(epochs, STEPS * BATCH)


# ----------------------------------------------------------------------------------------- order


def test_every_epoch_is_an_order_of_its_own_without_repeats():
    epochs = orders(4)
    for epoch in epochs:
        assert len(set(epoch.tolist())) == STEPS * BATCH and set(epoch.tolist()) <= set(
            range(COUNT)
        )
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4


def test_images_left_over_in_one_epoch_come_in_others():
    assert set(orders(6).ravel().tolist()) == set(range(COUNT))


def test_another_seed_is_another_order():
    assert (orders(1, seed=1) != orders(1, seed=2)).any()
    np.testing.assert_array_equal(orders(1, seed=1), orders(1, seed=1))


def test_rows_belong_to_their_images():
    for images, rows in serve(0, 2 * STEPS):
        np.testing.assert_array_equal(rows.argmax(1), images[:, 0, 0, 0] % CLASSES)
        np.testing.assert_array_equal(rows.sum(1), 1)


@pytest.mark.parametrize(
    ("recipe", "mix"),
    [("standard", "both"), pytest.param("randaugment", "none", marks=proof)],
)
def test_a_run_that_goes_on_sees_the_same_batches(recipe, mix):
    def augmenter():
        return Augmenter(recipe, mix, size=14, seed=3)

    whole = serve(0, 2 * STEPS + 1, images=noise(), augmenter=augmenter())
    for first in (1, STEPS, STEPS + 2):
        rest = serve(first, 2 * STEPS + 1, images=noise(), augmenter=augmenter())
        for before, after in zip(whole[first:], rest, strict=True):
            np.testing.assert_array_equal(before[0], after[0])
            np.testing.assert_array_equal(before[1], after[1])


def test_one_augmenter_serves_the_same_batches_again():
    augmenter = Augmenter("light", "mixup", size=14, seed=3)
    first, second = (serve(0, 3, images=noise(), augmenter=augmenter) for _ in range(2))
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before[0], after[0])


def test_fewer_images_than_a_batch_are_one_batch():
    [(images, _)] = serve(0, 1, images=numbered(3))
    assert sorted(images[:, 0, 0, 0].tolist()) == [0, 1, 2]


@given(st.integers(1, 10_000), st.integers(1, 500))
def test_steps_of_an_epoch_are_its_full_batches(images, batch_size):
    steps = steps_per_epoch(images, batch_size)
    assert steps == 1 or steps * batch_size <= images < (steps + 1) * batch_size


def test_evaluation_serves_all_images_once_and_in_order():
    labels = np.arange(COUNT) % CLASSES
    batches = list(evaluation_batches(numbered(), labels, CLASSES, batch_size=BATCH))
    images, rows = (np.concatenate(each) for each in zip(*batches, strict=True))
    assert images.dtype == np.float32
    assert images[:, 0, 0, 0].tolist() == list(range(COUNT))
    np.testing.assert_array_equal(rows, np.eye(CLASSES)[labels])


# -------------------------------------------------------------------------------------- decoding


def write(folder, images):
    paths = tuple(folder / f"{number:03}.png" for number in range(len(images)))
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    return Split(paths, np.zeros(len(paths), np.int64))


def test_decoded_images_are_those_that_were_written(tmp_path):
    images = noise(70, side=6)
    counts = []
    np.testing.assert_array_equal(decode_images(write(tmp_path, images), 6, counts.append), images)
    assert counts == [64, 6]


def test_an_image_is_halved_by_a_triangle_filter(tmp_path):
    ramp = np.repeat(np.arange(0, 160, 10, dtype=np.uint8)[None, :, None], 3, axis=2)
    split = write(tmp_path, [np.repeat(ramp, 16, axis=0)])
    halved = decode(str(split.paths[0]), 8).numpy()
    assert read_image(str(split.paths[0])).shape == (16, 16, 3)
    # Away from the border a symmetric filter keeps a ramp: the mean of pixels 2i and 2i + 1.
    assert halved[4, 1:-1, 0].tolist() == [20 * column + 5 for column in range(1, 7)]


def test_an_unreadable_file_is_reported_with_its_remedy(tmp_path):
    split = write(tmp_path, noise(3))
    split.paths[1].write_text("no image")
    with pytest.raises(ValueError, match=r"one of the 3 images .*000.png' on is unreadable; audit"):
        decode_images(split, 8)
