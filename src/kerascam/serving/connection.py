"""What a client wants of a connection, over whichever protocol it goes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

#: By their names in a signature: numbers, or objects: str for text, and bytes for encoded files.
Tensors: TypeAlias = Mapping[str, np.ndarray]

CHECK_SERVER = "check the url, and that the server runs"
TOO_SLOW = "raise timeout=, or lower batch_size="
TOO_BUSY = "raise retries= or backoff=, or lower concurrency="


class Connection(ABC):
    """Asks one model on one server, once for each call, from any thread."""

    @abstractmethod
    def ask(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Run one of the model's functions.

        Raises:
            TransientError: If another try may help.
            ServingError: If the server refuses, or its answer cannot be read.
        """

    @abstractmethod
    def versions(self) -> list[tuple[int, str]]:
        """List the model's versions on the server, and the state of each.

        Raises:
            TransientError: If another try may help.
            ServingError: If the server refuses, or its answer cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it for good."""
