"""From a model and images to an explanation: the explainer, its compiled programs, the result.

What other packages use stands in `__init__.pyi`; each is loaded at its first use, so that an
explanation is loaded, printed and plotted without TensorFlow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
