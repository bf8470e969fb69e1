"""How each PyTorch library is asked for each method, as its own documentation does it.

The models give logits, in evaluation mode; their weights keep `requires_grad`, as when they come
from training, because grad-cam needs it. Images lie in PyTorch's default order of channels.
"""

import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

from .cases import AGAIN, CELLS, MIDDLE, PATCH, SAMPLES, SIZE, THREADS

Ask = Callable[[Any], Any]


def prepare() -> None:
    """Set the threads, and let grad-cam be imported without torchvision.

    Its modules import three of torchvision's transforms for loading photographs and a function for
    boxes; nothing that is measured here calls them.
    """
    import torch

    torch.set_num_threads(THREADS)
    torch.set_num_interop_threads(THREADS)
    warnings.simplefilter("ignore")
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
        absent, transforms, functional = (types.ModuleType(name) for name in names)
        transforms.Compose = transforms.Normalize = transforms.ToTensor = functional.resize = None
        absent.transforms, transforms.functional = transforms, functional
        sys.modules |= dict(zip(names, (absent, transforms, functional), strict=True))


def make(name: str) -> Any:
    """Make a model with random weights that gives logits."""
    from .architectures import make

    return make(name)


def images(batch: int, size: int) -> Any:
    """Draw images."""
    import torch

    return torch.randn((batch, 3, size, size), generator=torch.Generator().manual_seed(0))


def layer_of(name: str) -> str:
    """Name the layer to explain: the model knows it."""
    return "last"


def asks(peer: str, model: Any, layer: str, method: str) -> Ask:
    """Return the call that explains a batch; KeyError where the library lacks the method."""
    makers = {
        "PyTorch": _pytorch,
        "grad-cam": _grad_cam,
        "torchcam": _torchcam,
        "captum": _captum,
    }
    return makers[peer](model, getattr(model, layer), method)


def _classes(images: Any) -> list[int]:
    return list(range(len(images)))


def _pytorch(model: Any, layer: Any, method: str) -> Ask:
    import torch

    def ask(images: Any) -> Any:
        with torch.inference_mode():
            return model(images).numpy()

    return ask


def _grad_cam(model: Any, layer: Any, method: str) -> Ask:
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    if method == "Guided backprop":  # takes one image at a time
        guided = pytorch_grad_cam.GuidedBackpropReLUModel(model=model, device="cpu")
        return lambda images: [
            guided(images[index : index + 1], target_category=index) for index in _classes(images)
        ]
    name = {
        "Grad-CAM": "GradCAM",
        "Grad-CAM++": "GradCAMPlusPlus",
        "LayerCAM": "LayerCAM",
        "Eigen-CAM": "EigenCAM",
        "Score-CAM": "ScoreCAM",
        "Ablation-CAM": "AblationCAM",
    }[method]
    layers = [getattr(model, MIDDLE) if name == "ScoreCAM" else layer]
    explain = getattr(pytorch_grad_cam, name)(model=model, target_layers=layers)
    return lambda images: explain(
        input_tensor=images, targets=[ClassifierOutputTarget(index) for index in _classes(images)]
    )


def _torchcam(model: Any, layer: Any, method: str) -> Ask:
    from torchcam import methods

    name = {
        "Grad-CAM": "GradCAM",
        "Grad-CAM++": "GradCAMpp",
        "LayerCAM": "LayerCAM",
        "Score-CAM": "ScoreCAM",
    }[method]
    kind = getattr(methods, name)
    layer = getattr(model, MIDDLE) if name == "ScoreCAM" else layer

    def ask(images: Any) -> Any:
        with kind(model, target_layer=layer) as explain:  # takes its hooks off again
            return explain(_classes(images), model(images))[0].numpy()

    return ask


def _captum(model: Any, layer: Any, method: str) -> Ask:
    from captum import attr

    kind, options = {
        "Grad-CAM": (lambda: attr.LayerGradCam(model, layer), {"relu_attributions": True}),
        "Guided backprop": (lambda: attr.GuidedBackprop(model), {}),
        "SmoothGrad": (
            lambda: attr.NoiseTunnel(attr.Saliency(model)),
            {"nt_type": "smoothgrad", "nt_samples": SAMPLES},
        ),
        "Integrated gradients": (
            lambda: attr.IntegratedGradients(model), {"n_steps": SAMPLES}
        ),
        "Occlusion": (
            lambda: attr.Occlusion(model),
            {"sliding_window_shapes": (3, PATCH, PATCH), "strides": (3, PATCH, PATCH)},
        ),
        "LIME": (lambda: attr.Lime(model), {"n_samples": AGAIN, "feature_mask": _segments()}),
        "KernelSHAP": (
            lambda: attr.KernelShap(model), {"n_samples": AGAIN, "feature_mask": _segments()}
        ),
        "Expected gradients": (
            lambda: attr.GradientShap(model),
            {"n_samples": SAMPLES, "baselines": _black()},
        ),
    }[method]  # fmt: skip
    explain = kind()
    return lambda images: (
        explain.attribute(images, target=_classes(images), **options).detach().numpy()
    )


def _segments() -> Any:
    """Cut an image into the grid of segments that all libraries hide."""
    import torch

    along = torch.arange(SIZE) * CELLS // SIZE
    return (along[:, None] * CELLS + along[None])[None, None]


def _black() -> Any:
    import torch

    return torch.zeros((1, 3, SIZE, SIZE))
