"""Receiving the body of a request, within bounds of size and time."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from scene_classification.serving.errors import RequestError
from scene_classification.serving.limits import Limits


async def receive_body(request: Request, limits: Limits) -> bytes:
    """Receive the whole body, sent in one piece or in chunks.

    Args:
        request: Of which nothing was read.
        limits: Bounds on size and time.

    Raises:
        RequestError: If the body is too large or too slow, or the client is gone.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limits.body_bytes:
        raise _too_large(limits)
    try:
        return await asyncio.wait_for(_receive(request, limits), limits.body_seconds)
    except asyncio.TimeoutError:
        raise RequestError(
            408,
            f"the body did not arrive in {limits.body_seconds:g} s",
            {"Connection": "close"},  # what is still to come would be taken for a new request
        ) from None
    except ClientDisconnect:
        raise RequestError(499, "the client is gone") from None


async def _receive(request: Request, limits: Limits) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limits.body_bytes:
            raise _too_large(limits)
    return bytes(received)


def _too_large(limits: Limits) -> RequestError:
    return RequestError(
        413, f"the body is larger than {limits.body_bytes} bytes; send fewer or smaller images"
    )
