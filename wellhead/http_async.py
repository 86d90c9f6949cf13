"""Sends calls over HTTP and waits for the answers; `http_sync.py` is made from this file."""

import asyncio
from typing import TypeVar

import httpx

from wellhead import calls
from wellhead.calls import Call, Json
from wellhead.errors import ApiError, AuthFailed, ConnectionFailed, RateLimited, Unavailable
from wellhead.retrying import answer_json, failure, pause_s
from wellhead.signing import Signer

T = TypeVar("T")
TIMEOUT_S = 15.0


class AsyncHttp:
    """One connection pool of one key."""

    def __init__(
        self, url: str, signer: Signer | None, *, timeout_s: float = TIMEOUT_S, retries: int = 2
    ) -> None:
        self.url = url.rstrip("/")
        self.signer = signer
        self.retries = retries
        # Without TLS there is nothing to verify, and loading the certificates takes longer than
        # a request does.
        verify = self.url.startswith("https:")
        self._http = httpx.AsyncClient(
            base_url=self.url, timeout=timeout_s, trust_env=False, verify=verify
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, call: Call[T]) -> T:
        """Return the answer of a call, typed.

        Errors:
            ApiError: the exchange refused.
            ConnectionFailed: no answer came.
        """
        return call.parse(await self.raw(call))

    async def raw(self, call: Call[T]) -> Json:
        """Return the answer of a call as it came; what can be repeated safely is."""
        attempt = 0
        while True:
            try:
                return await self._once(call)
            except AuthFailed as error:
                if attempt or not await self._mend_clock(error):
                    raise
            except (ConnectionFailed, RateLimited, Unavailable) as error:
                wait_s = pause_s(error, attempt)
                if not call.repeatable or attempt >= self.retries or wait_s is None:
                    raise
                await asyncio.sleep(wait_s)
            attempt += 1

    async def _once(self, call: Call[T]) -> Json:
        content = call.content
        headers = {"Content-Type": "application/json"} if content else {}
        if call.private:
            if self.signer is None:
                raise AuthFailed("auth_missing", "this needs a key and its secret", status=401)
            headers |= self.signer.headers(call.method, call.path, content)
        try:
            response = await self._http.request(
                call.method, call.path, content=content or None, headers=headers
            )
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self.url}: {error}") from error
        if response.is_success:
            return answer_json(response.content)
        raise failure(response.status_code, response.content, response.headers.get("Retry-After"))

    async def _mend_clock(self, error: ApiError) -> bool:
        """Take the server's clock if ours is off; say whether another try makes sense."""
        if self.signer is None or error.code not in ("timestamp_invalid", "signature_replayed"):
            return False
        if error.code == "timestamp_invalid":
            answer = await self._once(calls.time())
            self.signer.set_server_time(int(answer["ts"]))
        return True
