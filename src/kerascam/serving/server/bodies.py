"""The bodies of requests: each within bounds of size and time, and all of them together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from .errors import RequestError, shown
from .limits import Limits


class Bodies:
    """Receives bodies, and knows how many bytes of them are in hand.

    What counts is what has arrived: a client that sends little, and slowly, takes little room.

    Args:
        limits: Bounds on sizes and time.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    @contextlib.asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[bytearray]:
        """Receive a whole body, sent in one piece or in chunks; it is in hand until the exit.

        Args:
            request: Of which nothing was read.

        Raises:
            RequestError: If the body is compressed, too large or too slow, if there is no room for
                it, or if the client is gone.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":  # its bounds would say nothing of what comes out of it
            raise RequestError(400, f"the body is encoded as {shown(encoding)}; send it as it is")
        declared = request.headers.get("content-length", "")
        self._check(int(declared[:20]) if declared.isdecimal() else 0, 0)
        body = bytearray()
        try:
            await self._fill(body, request)
            yield body
        finally:
            self._held -= len(body)

    async def _fill(self, body: bytearray, request: Request) -> None:
        seconds = self._limits.body_seconds
        try:
            await asyncio.wait_for(self._fill_in_time(body, request), seconds)
        except asyncio.TimeoutError:
            raise RequestError(
                408,
                f"the body did not arrive in {seconds:g} s",
                {"Connection": "close"},  # what is still to come would be taken for a new request
            ) from None
        except ClientDisconnect:
            raise RequestError(499, "the client is gone") from None

    async def _fill_in_time(self, body: bytearray, request: Request) -> None:
        async for chunk in request.stream():
            self._check(len(body) + len(chunk), len(body))
            body += chunk
            self._held += len(chunk)

    def _check(self, size: int, held_of_it: int) -> None:
        most, together = self._limits.body_bytes, self._limits.bodies_bytes
        if size > most:
            raise RequestError(
                413, f"the body is larger than {most} bytes; send fewer or smaller images"
            )
        if self._held - held_of_it + size > together:
            raise RequestError(
                503, f"{self._held} bytes of requests are in hand", {"Retry-After": "1"}
            )
