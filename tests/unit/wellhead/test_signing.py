"""Signatures: the documented string, and never the same one twice."""

import hashlib
import hmac

from wellhead.signing import Credentials, Signer, sign


def test_the_signed_text_is_timestamp_key_window_method_target_body():
    text = b'1700000000000K5000POST/api/v1/orders?a=1{"b":2}'
    want = hmac.new(b"S", text, hashlib.sha256).hexdigest()
    have = sign(
        "S",
        timestamp_ms=1_700_000_000_000,
        key="K",
        recv_window_ms=5000,
        method="post",
        target="/api/v1/orders?a=1",
        body=b'{"b":2}',
    )
    assert have == want


def test_two_equal_requests_at_once_get_two_signatures():
    signer = Signer(Credentials("K", "S"))
    seen = {signer.headers("GET", "/x")["WH-SIGN"] for _ in range(500)}
    assert len(seen) == 500


def test_the_clock_of_the_server_is_taken_over():
    signer = Signer(Credentials("K", "S"))
    signer.set_server_time(5_000)
    assert 5_000 <= int(signer.headers("GET", "/x")["WH-TIMESTAMP"]) < 65_000


def test_a_secret_never_shows():
    assert "S3CRET" not in repr(Credentials("K", "S3CRET"))
