"""Keras's ResNet50 and MobileNetV2 written in plain PyTorch, with as many weights.

torchvision's ResNet50 is another one: it has the stride in the 3×3 convolution, Keras's in the 1×1
before it. Keras pads a stride-2 convolution on one side and this on both, which changes a border,
not the work.
"""

import torch
from torch import nn

# Trainable weights of keras.applications' models, which these must have too.
WEIGHTS = {"ResNet50": 25_583_592, "MobileNetV2": 3_504_872}


def make(name: str) -> nn.Module:
    """Make a model with random weights, in evaluation mode."""
    torch.manual_seed(0)
    model = {"ResNet50": resnet50, "MobileNetV2": mobilenet_v2}[name]().eval()
    count = sum(weight.numel() for weight in model.parameters())
    if count != WEIGHTS[name]:
        raise ValueError(f"{name} has {count} weights here and {WEIGHTS[name]} in Keras")
    return model


class Classifier(nn.Module):
    """Features, their mean over the places, and a dense layer: logits."""

    def __init__(self, features: list[nn.Module], channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*features)
        self.scores = nn.Linear(channels, 1000)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute the logits."""
        return self.scores(self.features(images).mean((2, 3)))

    @property
    def block_15_add(self) -> nn.Module:
        """MobileNetV2's last block of 160 features, by its name in Keras: 15 of 0 to 16."""
        return self.features[3 + 15]

    @property
    def last(self) -> nn.Module:
        """The layer that is explained."""
        return self.features[-1]


def convolution(
    inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False
) -> list[nn.Module]:
    """Convolve and normalise."""
    padding = kernel // 2
    return [
        nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=bias),
        nn.BatchNorm2d(outside),
    ]


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1, and a way around them."""

    def __init__(self, inside: int, middle: int, stride: int, widen: bool) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            *convolution(inside, middle, 1, stride, bias=True),
            nn.ReLU(),
            *convolution(middle, middle, 3, bias=True),
            nn.ReLU(),
            *convolution(middle, 4 * middle, 1, bias=True),
        )
        around = convolution(inside, 4 * middle, 1, stride, bias=True) if widen else []
        self.around = nn.Sequential(*around)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add both ways."""
        return self.relu(self.around(x) + self.steps(x))


def resnet50() -> Classifier:
    """Make ResNet50 as Keras has it."""
    features = [*convolution(3, 64, 7, 2, bias=True), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inside = 64
    for middle, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            features.append(Bottleneck(inside, middle, 1 if index else stride, not index))
            inside = 4 * middle
    return Classifier(features, inside)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow; and add where the shape stays."""

    def __init__(self, inside: int, outside: int, stride: int, factor: int) -> None:
        super().__init__()
        wide = inside * factor
        widen = [*convolution(inside, wide, 1), nn.ReLU6()] if factor > 1 else []
        self.steps = nn.Sequential(
            *widen,
            *convolution(wide, wide, 3, stride, groups=wide),
            nn.ReLU6(),
            *convolution(wide, outside, 1),
        )
        self.residual = stride == 1 and inside == outside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Go through the steps."""
        return x + self.steps(x) if self.residual else self.steps(x)


def mobilenet_v2() -> Classifier:
    """Make MobileNetV2."""
    features = [*convolution(3, 32, 3, 2), nn.ReLU6()]
    inside = 32
    plan = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
    for factor, outside, count, stride in plan:
        for index in range(count):
            features.append(InvertedResidual(inside, outside, 1 if index else stride, factor))
            inside = outside
    return Classifier([*features, *convolution(320, 1280, 1), nn.ReLU6()], 1280)
