"""What the times do not show, and why kerascam loses a row where it does."""

_COPIES = (
    "Eight copies share a pass in all of these. kerascam runs the image itself once more, for its "
    "class, score and probability, which the others do not give: a forward pass of one image, "
    "about a tenth of the whole at 8 copies, less at more. captum's ratio is the lower one because "
    "PyTorch's pass of a single image, which divides it, is slow; compare the milliseconds."
)

# By method: fill in what was found by looking, not by guessing.
LOSSES: dict[str, str] = {"SmoothGrad": _COPIES, "Integrated gradients": _COPIES}

NOTES = [
    "* torchcam and captum give Grad-CAM's maps on the layer's grid, 7×7: enlarging them is left "
    "to the user and not in their times. All others enlarge them to 224×224.",
    "* grad-cam's backward pass goes on through the whole network to the weights' gradients; "
    "torchcam's, captum's and kerascam's stop at the layer.",
    "* grad-cam's guided backpropagation takes one image at a time.",
    "* Guided backpropagation on MobileNetV2: tf-keras-vis (which looks for activations, not for "
    "ReLU layers), grad-cam and captum (which look for `ReLU`, not `ReLU6`) give the plain "
    "gradient there; their times are shown all the same.",
    "* tf-explain explains one class for the whole batch, and paints the map on the image.",
    "* grad-cam's modules import torchvision, whose wheels need a CUDA build of PyTorch; an empty "
    "stand-in takes its place, as nothing that is measured calls it.",
]

ONCE = (
    "What runs eagerly (tf-keras-vis, tf-explain, PyTorch's libraries) has nothing to trace before "
    "its first call. kerascam traces once, for all batch sizes; xplique for each batch size. "
    "Freezing pays for its speed here: TensorFlow holds the weights, 98 MiB of ResNet50's, many "
    "times over while it folds them into constants."
)
