"""Intel scenes, from photographs to an explained residual network: the example of kerascam."""

import lazy_loader

# Imported when first asked for: the command line's --help waits for no TensorFlow.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "networks.residual": ["residual_network"],
        "networks.reference": ["load_reference_model", "reference_classes"],
    },
)
