"""Keep the noise of native libraries out of the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def before_import() -> None:
    """Set what TensorFlow, Keras and OpenCV read when they are imported.

    Who sets TF_CPP_MIN_LOG_LEVEL keeps TensorFlow's messages.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    if _LEVEL not in os.environ:
        os.environ[_LEVEL] = "3"


def import_tensorflow() -> None:
    """Import TensorFlow without the messages that it prints before its log level holds."""
    if "tensorflow" in sys.modules:
        return
    with native_messages_held():
        import tensorflow  # noqa: F401


@contextmanager
def native_messages_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it only if an error follows."""
    try:
        own = os.dup(2)
    except OSError:  # there is no stderr at all
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(own, held.read())
            raise
        finally:
            os.dup2(own, 2)
            os.close(own)
