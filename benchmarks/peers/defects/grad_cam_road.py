"""pytorch-grad-cam's ROAD hides the whole image if a map is zero on a part of it."""

from .telling import tell


def main() -> None:
    """Ask for the ROAD of a map of which a fifth is zero, as a ReLU leaves it."""
    import numpy as np
    import torch

    from ..torch_peers import prepare

    prepare()
    from pytorch_grad_cam.metrics.road import ROADMostRelevantFirst

    class Mean(torch.nn.Module):
        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return x.mean((1, 2, 3))[:, None]

    images = torch.rand((1, 3, 16, 16), generator=torch.Generator().manual_seed(0)) + 1
    heat = np.linspace(0.1, 1, 256, dtype="float32").reshape(1, 16, 16)
    heat[:, :4] = 0  # a quarter
    metric = ROADMostRelevantFirst(percentile=10)
    _, left = metric(images, heat, [lambda out: out[0]], Mean(), return_visualization=True)
    hidden = float((left != images).all(1).float().mean())
    tell(
        "grad-cam",
        "which share of the pixels ROADMostRelevantFirst(percentile=10), the most relevant 90 %, "
        "hides by a map of which 25 % is zero",
        f"{hidden:.0%}, mean of what is left {float(left.mean()):.3g} (of the image: "
        f"{float(images.mean()):.3g})",
        "90 %: pixels that tie at the threshold are all hidden, and without a pixel that is "
        "left the linear system has no solution",
        shown=hidden > 0.95,
    )


if __name__ == "__main__":
    main()
