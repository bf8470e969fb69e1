"""Keep the noise of native libraries out of the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def native_messages_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it only if an error follows."""
    try:
        own = os.dup(2)
    except OSError:  # there is no stderr at all
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(own, held.read())
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)
