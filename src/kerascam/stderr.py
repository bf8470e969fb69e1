"""Keep the noise of native libraries out of the user's terminal."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The descriptor is the process's: two threads that exchange it at once would restore the wrong one.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def native_messages_held() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it only if an error follows."""
    with _ONE_AT_A_TIME:
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
