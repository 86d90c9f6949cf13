"""What a caller of the client has to expect.

* WellheadError
  x ApiError             the exchange answered no; `code` is stable, act on that
    x BadRequest           400, 413: the request itself is wrong
    x AuthFailed           401, 403: key, signature, scope
    x NotFound             404
    x Refused              409, 422: well formed, but the rules say no
    x RateLimited          429: come back after `retry_after_s`
    x Unavailable          503: not now; nothing was done
  x ConnectionFailed     no answer came: what was asked may or may not have been done
  x ProtocolError        an answer came that this client does not understand
"""

from typing import Any


class WellheadError(Exception):
    """Anything this package raises on purpose."""


class ConnectionFailed(WellheadError):
    """No answer came; look the order up by its client order id before trying again."""


class ProtocolError(WellheadError):
    """The other side speaks something else than this client."""


class ApiError(WellheadError):
    """The exchange refused. `code` is stable; `detail` is for people."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int = 0,
        field: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        problem: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.field = field
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.problem = problem or {}

    def __str__(self) -> str:
        at = f" (field {self.field})" if self.field else ""
        return f"{self.code}: {self.detail}{at}" if self.detail else f"{self.code}{at}"


class BadRequest(ApiError):
    """The request itself is wrong: sending it again cannot help."""


class AuthFailed(ApiError):
    """Key, signature, timestamp, address or scope were not accepted."""


class NotFound(ApiError):
    """There is no such thing, or not for this key."""


class Refused(ApiError):
    """Well formed, but the rules of the exchange say no."""


class RateLimited(ApiError):
    """Too many requests: come back after `retry_after_s`."""


class Unavailable(ApiError):
    """The exchange cannot take this now; nothing was done."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: AuthFailed,
    403: AuthFailed,
    404: NotFound,
    409: Refused,
    413: BadRequest,
    415: BadRequest,
    422: Refused,
    429: RateLimited,
    503: Unavailable,
}


def from_problem(problem: dict[str, Any], retry_after_s: float | None = None) -> ApiError:
    """Return the exception for a problem object of REST or of a websocket reply."""
    status = problem.get("status")
    status = status if isinstance(status, int) else 0
    kind = _BY_STATUS.get(status, ApiError)
    return kind(
        str(problem.get("code") or f"http_{status}"),
        str(problem.get("detail") or problem.get("title") or ""),
        status=status,
        field=problem.get("field"),
        request_id=problem.get("request_id"),
        retry_after_s=retry_after_s,
        problem=problem,
    )
