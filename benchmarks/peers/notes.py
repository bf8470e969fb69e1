"""What the times do not show, and why kerascam loses a row where it does."""

# By method: fill in what was found by looking, not by guessing.
LOSSES: dict[str, str] = {}

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
