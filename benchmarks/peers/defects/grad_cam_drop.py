"""pytorch-grad-cam's drop in confidence is not divided by the confidence."""

from .telling import tell


def main() -> None:
    """Halve a probability of 0.2."""
    import numpy as np
    import torch

    from ..torch_peers import prepare

    prepare()
    from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence

    class Mean(torch.nn.Module):
        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return x.mean((1, 2, 3))[:, None]

    images, heat = torch.full((1, 3, 8, 8), 0.2), np.full((1, 8, 8), 0.5, "float32")
    (found,) = DropInConfidence()(images, heat, [lambda out: out[0]], Mean())
    tell(
        "grad-cam",
        "DropInConfidence of a map that halves a probability of 0.2",
        round(float(found), 3),
        "0.5: the average drop of Grad-CAM++'s authors is max(0, Y - O) / Y, so that images "
        "of which the model is unsure count as much as others",
        shown=abs(found - 0.5) > 0.1,
    )


if __name__ == "__main__":
    main()
