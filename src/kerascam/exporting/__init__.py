"""Write a model with its explanations as a SavedModel, which a server runs without Python.

`claims`, `limits`, `decoding`, `orientation` and `drawing` are graph operations from a photograph's
bytes to an overlay's; `answers` is what each signature returns, `endpoints` what it takes, `shapes`
what of that is let in, `manifest` what was exported, `warm_up` requests to begin with, `check` a
trial in a session, as servers run it, `versions` the folder.
"""

from .manifest import read_manifest
from .saved_model import export

__all__ = ["export", "read_manifest"]
