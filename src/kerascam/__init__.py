"""Exact class activation maps and saliency maps for Keras 3 models on TensorFlow.

The public names stand in `__init__.pyi`; each is loaded at its first use, so that
`import kerascam` does not pay for TensorFlow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
