"""What the times do not show, and why kerascam loses a row where it does."""

REASONS = {
    "its own pass": "Both put the 8 copies through in one pass. kerascam runs the image itself "
    "once more, for its class, score and probability, which the other does not give: a forward "
    "pass of one image.",
    "the divisor": "Both put the 8 copies through in one pass, but the pass of one image that "
    "divides the time is, beside a pass of 8, slower in PyTorch than in TensorFlow: compare the "
    "milliseconds.",
}

# By method and by the library that is ahead: what was found by looking, not by guessing.
LOSSES = {
    (method, peer): reason
    for method in ("SmoothGrad", "Integrated gradients")
    for peer, reason in {
        "xplique": "its own pass", "tf-explain": "its own pass", "captum": "the divisor"
    }.items()
}  # fmt: skip

NOTES = [
    "* torchcam, captum and eli5 give Grad-CAM's maps on the layer's grid, 7×7: enlarging them is "
    "not in their times. All others enlarge them to 224×224.",
    "* grad-cam's backward pass goes on through the whole network to the weights' gradients; "
    "torchcam's, captum's and kerascam's stop at the layer.",
    "* grad-cam's guided backpropagation takes one image at a time.",
    "* Guided backpropagation on MobileNetV2: tf-keras-vis (which looks for activations, not for "
    "ReLU layers), grad-cam and captum (which look for `ReLU`, not `ReLU6`) give the plain "
    "gradient there; their times are shown all the same.",
    "* SmoothGrad and integrated gradients are measured on one image and 8 copies, which kerascam "
    "puts through in one pass; of more copies, or larger images, it makes several passes.",
    "* tf-explain explains one class for the whole batch, and paints the map on the image; medicai "
    "explains one class for the whole batch.",
    "* eli5 takes one image at a time, and runs the model twice for each.",
    "* Where torchvision is not installed, an empty stand-in takes its place: grad-cam imports it, "
    "and nothing that is measured calls it.",
]

ONCE = (
    "What runs eagerly (tf-keras-vis, tf-explain, eli5, medicai, PyTorch's libraries) has nothing "
    "to trace before its first call. kerascam traces once, for all batch sizes; xplique for each "
    "batch size. Freezing pays for its speed here: TensorFlow holds the weights, 98 MiB of "
    "ResNet50's, many times over while it folds them into constants."
)
