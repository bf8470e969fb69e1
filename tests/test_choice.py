"""Which layer is chosen, on captures written by hand."""

from dataclasses import replace

import pytest

from kerascam.model.choice import Capture, choose, spatial

IMAGE = (224, 224)


def chain(*steps):
    """Captures of layers that follow one another: (name, kind, shape without the batch axis)."""
    captures, before = [], "images"
    for name, kind, shape, *output in steps:
        after = output[0] if output else f"{name}:0"
        captures.append(Capture(name, kind, (None, *shape), after, (before,)))
        before = after
    return captures


def giving(captures, count):
    """Let the last captures hold what the output is put together of."""
    return captures[:-count] + [replace(capture, giving=True) for capture in captures[-count:]]


def chosen(captures, image=IMAGE):
    return choose(captures, image).path


HEAD = [("gap", "GlobalAveragePooling2D", (64,)), ("dense", "Dense", (10,))]


def test_the_last_features_before_global_pooling():
    captures = chain(("conv", "Conv2D", (7, 7, 64)), ("relu", "ReLU", (7, 7, 64)), *HEAD)
    found = choose(captures, IMAGE)
    assert found.path == "relu"
    assert found.reason == "the last features on a grid, 7×7×64"


def test_back_over_the_last_pool():
    captures = chain(
        ("block5_conv3", "Conv2D", (14, 14, 512)), ("block5_pool", "MaxPooling2D", (7, 7, 512)),
        ("flatten", "Flatten", (25088,)), ("fc", "Dense", (4096,)), ("dense", "Dense", (10,)),
    )  # fmt: skip
    found = choose(captures, IMAGE)
    assert found.path == "block5_conv3"
    assert found.reason == (
        "the last features on a grid, 14×14×512, stepping back over block5_pool"
    )


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("MaxPooling2D", (3, 3, 64)),
        ("AveragePooling2D", (3, 3, 64)),
        ("GlobalAveragePooling2D", (2, 2, 64)),
        ("MaxPool2D", (3, 3, 64)),
        ("AdaptiveAveragePooling2D", (3, 3, 64)),
        ("Dropout", (7, 7, 64)),
        ("SpatialDropout2D", (7, 7, 64)),
        ("GaussianDropout", (7, 7, 64)),
        ("ZeroPadding2D", (9, 9, 64)),
        ("Cropping2D", (5, 5, 64)),
        ("Reshape", (49, 1, 64)),
        ("Permute", (7, 7, 64)),
        ("Identity", (7, 7, 64)),
    ],
)
def test_back_over_what_only_moves_features(kind, shape):
    captures = chain(("conv", "Conv2D", (7, 7, 64)), ("step", kind, shape), *HEAD)
    assert chosen(captures) == "conv"


def test_back_over_the_same_step_of_signals_and_volumes():
    signal = chain(("conv", "Conv1D", (30, 8)), ("pad", "ZeroPadding1D", (32, 8)),
                   ("pool", "MaxPooling1D", (16, 8)), ("dense", "Dense", (10,)))  # fmt: skip
    assert chosen(signal, (32,)) == "conv"
    volume = chain(("conv", "Conv3D", (4, 4, 4, 8)), ("cut", "Cropping3D", (2, 2, 2, 8)),
                   ("dense", "Dense", (10,)))  # fmt: skip
    assert chosen(volume, (8, 8, 8)) == "conv"


def test_dropout_at_inference_is_the_tensor_before_it():
    captures = chain(
        ("conv", "Conv2D", (7, 7, 64), "conv:0"), ("dropout", "Dropout", (7, 7, 64), "conv:0"),
        *HEAD,
    )  # fmt: skip
    assert chosen(captures) == "conv"
    assert [capture.path for capture in spatial(captures, IMAGE)] == ["conv"]


def test_a_container_counts_as_its_last_layer():
    captures = [
        Capture("backbone/conv", "Conv2D", (None, 7, 7, 64), "conv:0", ("images",)),
        Capture("backbone", "Functional", (None, 7, 7, 64), "conv:0", ("images",)),
        *chain(*HEAD),
    ]
    assert chosen(captures) == "backbone/conv"


def test_a_map_of_one_cell_is_none():
    captures = chain(
        ("conv", "Conv2D", (7, 7, 64)), ("squeeze", "GlobalAveragePooling2D", (1, 1, 64)),
        ("logits", "Conv2D", (1, 1, 10)), ("flatten", "Flatten", (10,)),
    )  # fmt: skip
    assert chosen(captures) == "conv"


def test_a_branch_that_the_output_does_not_use():
    captures = [
        Capture("conv", "Conv2D", (None, 7, 7, 64), "conv:0", ("images",)),
        Capture("auxiliary", "Conv2D", (None, 7, 7, 8), "auxiliary:0", ("conv:0",), used=False),
        *chain(*HEAD),
    ]
    assert chosen(captures) == "conv"


def test_the_pool_of_another_branch_is_not_stepped_over_to():
    captures = [
        Capture("left", "Conv2D", (None, 14, 14, 8), "left:0", ("images",)),
        Capture("right", "Conv2D", (None, 14, 14, 8), "right:0", ("images",)),
        Capture("pool", "MaxPooling2D", (None, 7, 7, 8), "pool:0", ("left:0",)),
        *chain(*HEAD),
    ]
    assert chosen(captures) == "left"


def test_a_branch_gives_way_to_the_whole_of_its_grid():
    # Inception: the last branch alone is seen by the output, but holds a part of the features.
    captures = [
        Capture("mixed", "Concatenate", (None, 7, 7, 64), "mixed:0", ("images",)),
        Capture("branch", "Conv2D", (None, 7, 7, 8), "branch:0", ("mixed:0",), bottleneck=False),
        *chain(*HEAD),
    ]
    assert chosen(captures) == "mixed"
    coarser = Capture("pooled", "Conv2D", (None, 3, 3, 8), "pooled:0", ("mixed:0",),
                      bottleneck=False)  # fmt: skip
    assert chosen([*captures, coarser]) == "pooled"  # the only one of its grid


def test_a_model_that_pools_its_images_at_once():
    captures = chain(("pool", "AveragePooling2D", (56, 56, 3)), ("dense", "Dense", (10,)))
    assert chosen(captures) == "pool"


def test_layers_that_hold_class_scores_of_a_segmentation_are_passed_over():
    captures = chain(
        ("features", "Conv2D", (32, 32, 64)), ("scores", "Conv2D", (32, 32, 5)),
        ("softmax", "Softmax", (32, 32, 5)),
    )  # fmt: skip
    assert chosen(giving(captures, 2), (32, 32)) == "features"


def test_a_segmentation_of_a_single_layer_explains_that_layer():
    captures = chain(("scores", "Conv2D", (32, 32, 5)), ("softmax", "Softmax", (32, 32, 5)))
    assert chosen(giving(captures, 2), (32, 32)) == "scores"


def test_open_lengths_count_as_a_grid():
    captures = chain(("conv", "Conv2D", (None, None, 64)), *HEAD)
    found = choose(captures, (None, None))
    assert found.path == "conv" and found.reason == "the last features on a grid, ?×?×64"


def test_the_other_branches_are_listed_where_only_one_was_chosen():
    names = ("left", "right", "third")
    captures = [
        Capture(each, "Conv2D", (None, 7, 7, 8), f"{each}:0", ("images",), bottleneck=False)
        for each in names
    ]

    def around(outputs):
        return frozenset(each.output for each in captures) - set(outputs)

    found = choose(captures, IMAGE, around)
    assert (found.path, found.beside) == ("third", ("left", "right"))
    whole = replace(captures[-1], bottleneck=True)
    assert choose([*captures[:-1], whole], IMAGE, around).beside == ()


# ------------------------------------------------------------------------------------- transformers


def transformer(tokens):
    return chain(
        ("patches", "Conv2D", (14, 14, 64)), ("tokens", "Reshape", (196, 64)),
        ("embedded", "ClassToken", (tokens, 64)),
        ("block/norm", "LayerNormalization", (tokens, 64)),
        ("block/attention", "MultiHeadAttention", (tokens, 64)),
        ("block/mlp", "Dense", (tokens, 64)), ("norm", "LayerNormalization", (tokens, 64)),
        ("token", "GetItem", (64,)), ("dense", "Dense", (10,)),
    )  # fmt: skip


@pytest.mark.parametrize("tokens", [197, 198, 201])
def test_behind_a_class_token_what_the_last_attention_sees(tokens):
    # Behind it, only the class token reaches the output: patches have no gradient there.
    found = choose(transformer(tokens), IMAGE)
    assert found.path == "block/norm"
    assert found.reason == f"the tokens that the last attention layer sees, {tokens}×64"


def test_without_a_class_token_the_last_tokens():
    assert chosen(transformer(196)) == "norm"


def test_sequences_that_are_no_tokens_of_the_image_are_left_out():
    captures = chain(
        ("conv", "Conv2D", (7, 7, 64)), ("words", "Embedding", (11, 64)), ("dense", "Dense", (10,))
    )
    assert chosen(captures) == "conv"


# ------------------------------------------------------------------------------------------- none


@pytest.mark.parametrize("captures", [[], chain(("dense", "Dense", (10,))),
                                      chain(("images", "InputLayer", (8, 8, 3)), *HEAD)],
                         ids=["nothing", "dense", "the images alone"])  # fmt: skip
def test_no_grid(captures):
    message = "layer cannot be found: no layer of this model returns features on a grid; a class"
    with pytest.raises(ValueError, match=message):
        choose(captures, IMAGE)


def test_nothing_has_a_grid():
    message = "features on a grid; its inputs have none either, so there is nothing to draw a map"
    with pytest.raises(ValueError, match=message):
        choose(chain(("dense", "Dense", (10,))), None)


def test_no_grid_that_the_score_depends_on():
    captures = [replace(each, used=False) for each in chain(("conv", "Conv2D", (7, 7, 64)))]
    with pytest.raises(
        ValueError, match="target does not depend on any layer that returns features"
    ):
        choose(captures, IMAGE)


def test_spatial_keeps_each_tensor_once_in_order():
    captures = chain(
        ("images", "InputLayer", (224, 224, 3)), ("a", "Conv2D", (14, 14, 8)),
        ("b", "Dropout", (14, 14, 8), "a:0"), ("c", "MaxPooling2D", (7, 7, 8)),
        ("d", "MaxPooling2D", (1, 1, 8)), ("e", "Flatten", (8,)),
    )  # fmt: skip
    assert [capture.path for capture in spatial(captures, IMAGE)] == ["a", "c"]
