"""What is compared: libraries, models, methods and batches, and the threads that each one gets."""

import os
from typing import NamedTuple

THREADS = 2
SIZE = 224
SAMPLES = 8  # of SmoothGrad, and steps of integrated gradients

# Before TensorFlow, PyTorch, NumPy or OpenCV is loaded, in every process that measures.
ENVIRONMENT = {
    # OpenMP's threads sleep between their tasks instead of spinning: a thread that spins takes its
    # core from whoever's turn comes next, and PyTorch itself was several times slower with spinning
    # threads while anything else ran on the machine. Set the variable to compare.
    "OMP_WAIT_POLICY": "passive",
    # glibc hands a large tensor's memory back to the system after each operation and fetches it
    # anew, page by page: PyTorch's MobileNetV2 at batch 8 took 2.5 times as long. Keeping up to
    # half a gibibyte is kind to it, and the same for all.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    **os.environ,
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_NUM_INTRAOP_THREADS": str(THREADS),
    "TF_NUM_INTEROP_THREADS": str(THREADS),
    "OMP_NUM_THREADS": str(THREADS),
    "OPENBLAS_NUM_THREADS": str(THREADS),
    "MKL_NUM_THREADS": str(THREADS),
}

KERAS = (
    "kerascam",
    "kerascam frozen",
    "tf-keras-vis",
    "xplique",
    "tf-explain",
    "eli5",
    "medicai",
)
#: Libraries with metrics, each in a process that only measures.
MEASURING = ("kerascam metrics", "quantus metrics", "xplique metrics")
TORCH = ("grad-cam", "torchcam", "captum")
PEERS = KERAS + TORCH
FORWARD = {"keras": "TensorFlow", "torch": "PyTorch"}

# The layer that all explain: the output of the last block, behind its ReLU, 7×7.
LAYERS = {"ResNet50": "conv5_block3_out", "MobileNetV2": "out_relu"}

METHODS = (
    "Grad-CAM",
    "Grad-CAM++",
    "LayerCAM",
    "Eigen-CAM",
    "Guided backprop",
    "SmoothGrad",
    "Integrated gradients",
)
# What asks the model again, measured apart (`--asking`): on one image, as each call takes seconds.
ASKING = (
    "Score-CAM",
    "Ablation-CAM",
    "Recipro-CAM",
    "Occlusion",
    "RISE",
    "LIME",
    "KernelSHAP",
    "Sobol",
    "HSIC",
    "Expected gradients",
)
AGAIN = 200  # masks, or coalitions, of each
CELLS = 5  # segments along each axis
PATCH = 32  # pixels of a side, and of a stride: 49 patches
DESIGNS = 8  # of Sobol: 8 x (25 + 2) masks
# A layer of 160 features, for Score-CAM, which runs the model once for each.
MIDDLE = "block_15_add"
# Metrics, measured apart (`--measuring`).
MEASURED_IMAGES, CURVE_STEPS = 64, 50
AT_A_TIME = 16  # images, as in kerascam.evaluate
ROAD_IMAGES = 1  # for Quantus, whose ROAD takes a second or two for each image and step
ONE_BY_ONE = METHODS[-2:]  # eight passes an image: at batch 8 that is 64 images for some of them
BATCHES = (1, 8)


class Case(NamedTuple):
    """One row of a table: all libraries do the same with the same images."""

    model: str
    method: str
    batch: int


def cases() -> list[Case]:
    """List all, in an order that lets a library keep what it made for a model and a method."""
    return [
        Case(model, method, batch)
        for model in LAYERS
        for method in METHODS
        for batch in BATCHES
        if batch == 1 or method not in ONE_BY_ONE
    ]


def asking_cases() -> list[Case]:
    """List the rows of the methods that ask again."""
    return [Case("MobileNetV2", method, 1) for method in ASKING]


def measuring_cases(images: int = MEASURED_IMAGES) -> list[Case]:
    """List the rows of metrics, and some of kerascam's alone, for its memory."""
    rows = [(metric, images) for metric in ("Deletion", "Insertion", "ROAD")]
    rows += [("ROAD", ROAD_IMAGES)]
    rows += [("Deletion, 10 steps", 4 * images), ("Deletion, 200 steps", images // 4)]
    return [Case("MobileNetV2", metric, batch) for metric, batch in rows]


def framework(peer: str) -> str:
    """Tell on which framework a library stands."""
    if peer in MEASURING:
        return "measuring"
    return "torch" if peer in TORCH or peer == FORWARD["torch"] else "keras"
