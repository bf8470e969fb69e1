"""Keep the noise of native libraries out of the terminal."""

import os
import sys

from ..stderr import native_messages_held

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow without its messages, unless the user has asked for them.

    The backend of Keras is TensorFlow here, whatever the user's own is.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault(_LEVEL, "3")
    if os.environ[_LEVEL] in {"0", "1"} or "tensorflow" in sys.modules:
        return
    with native_messages_held():  # some are written before the level holds
        import tensorflow  # noqa: F401
