# Made by tools/sync_client.py from http_async.py: change that file.
"""Sends calls over HTTP and waits for the answers; made from `http_async.py`."""

import time
from typing import TypeVar

import httpx

from wellhead import calls
from wellhead.calls import Call, Json
from wellhead.errors import ApiError, AuthFailed, ConnectionFailed, RateLimited, Unavailable
from wellhead.retrying import answer_json, failure, pause_s
from wellhead.signing import Signer

T = TypeVar("T")
TIMEOUT_S = 15.0


class Http:
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
        self._http = httpx.Client(
            base_url=self.url, timeout=timeout_s, trust_env=False, verify=verify
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, call: Call[T]) -> T:
        """Return the answer of a call, typed.

        Errors:
            ApiError: the exchange refused.
            ConnectionFailed: no answer came.
        """
        return call.parse(self.raw(call))

    def raw(self, call: Call[T]) -> Json:
        """Return the answer of a call as it came; what can be repeated safely is."""
        attempt = 0
        while True:
            try:
                return self._once(call)
            except AuthFailed as error:
                if attempt or not self._mend_clock(error):
                    raise
            except (ConnectionFailed, RateLimited, Unavailable) as error:
                wait_s = pause_s(error, attempt)
                if not call.repeatable or attempt >= self.retries or wait_s is None:
                    raise
                time.sleep(wait_s)
            attempt += 1

    def _once(self, call: Call[T]) -> Json:
        content = call.content
        headers = {"Content-Type": "application/json"} if content else {}
        if call.private:
            if self.signer is None:
                raise AuthFailed("auth_missing", "this needs a key and its secret", status=401)
            headers |= self.signer.headers(call.method, call.path, content)
        try:
            response = self._http.request(
                call.method, call.path, content=content or None, headers=headers
            )
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self.url}: {error}") from error
        if response.is_success:
            return answer_json(response.content)
        raise failure(response.status_code, response.content, response.headers.get("Retry-After"))

    def _mend_clock(self, error: ApiError) -> bool:
        """Take the server's clock if ours is off; say whether another try makes sense."""
        if self.signer is None or error.code not in ("timestamp_invalid", "signature_replayed"):
            return False
        if error.code == "timestamp_invalid":
            answer = self._once(calls.time())
            self.signer.set_server_time(int(answer["ts"]))
        return True
