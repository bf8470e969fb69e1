"""captum's infidelity of one and the same map depends on the map's unit, unless asked otherwise."""

from .telling import tell


def main() -> None:
    """Measure the exact map of a linear score, and twice that map."""
    import torch
    from captum.metrics import infidelity, infidelity_perturb_func_decorator

    weights = torch.linspace(-1, 1, 16)

    def score(x: "torch.Tensor") -> "torch.Tensor":
        return x @ weights

    @infidelity_perturb_func_decorator(False)
    def noisy(x: "torch.Tensor") -> "torch.Tensor":
        return x - 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))

    image = torch.ones((1, 16))
    found = {
        f"{factor} φ": round(
            float(infidelity(score, noisy, image, factor * weights[None], n_perturb_samples=50)), 6
        )
        for factor in (1, 2)
    }
    tell(
        "captum",
        "the infidelity of the exact map φ of a linear score, and of 2 φ",
        found,
        "the same for both, as the unit of a map says nothing of it: the authors' own code "
        "takes the best factor, captum with normalize=True alone",
        shown=found["2 φ"] > found["1 φ"] + 1e-4,
    )


if __name__ == "__main__":
    main()
