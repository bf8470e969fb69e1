"""From maps and photographs to pixels and figures, without TensorFlow.

What other packages use stands in `__init__.pyi`; each is loaded at its first use, so that the
command line's help does not pay for NumPy, nor the client for Matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
