"""Webhooks for their users: client, command line, and the receiver of the examples over TLS."""

import asyncio
import importlib.util
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.io.fetching import FetchRefused, tell
from exchange.rules.addresses import https_address
from exchange.rules.webhooks import envelope, signature
from tests.unit.wellhead.fakes import KEY, SECRET, FakeRest, wellhead
from wellhead.async_client import AsyncClient
from wellhead.cli.exits import Exit
from wellhead.client import Client

pytestmark = pytest.mark.usefixtures("trader")

ROOT = Path(__file__).parents[3]
HOST = "hooks.example.com"
MS = 1_800_000_000_000
HOOK = {
    "webhook_id": "wh_aaaaaaaaaaaaaaaa", "url": f"https://{HOST}/in", "events": ["fill"],
    "label": "", "status": "parked", "why": "12 failures in a row", "failures": 12,
    "retry_ts": None, "waiting": 3, "dropped": 0, "created_by": "wk_1", "created_ts": 1,
    "rotated_ts": None,
}  # fmt: skip
SENT = {
    "delivery_id": "7", "event": "fill", "status": "waiting", "attempts": 12, "http_status": 500,
    "latency_ms": 31, "error": "answered 500", "created_ts": 1, "tried_ts": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "answer", "request_", "shown"),
    [
        (("create", HOOK["url"], "--event", "fill", "--event", "alert"),
         {"webhook": HOOK, "secret": "whs_1"}, "POST /webhooks", "whs_1"),
        (("list",), {"webhooks": [HOOK]}, "GET /webhooks", "parked"),
        (("list",), {"webhooks": []}, "GET /webhooks", "no webhooks"),
        (("show", "wh_1"), {"webhook": HOOK}, "GET /webhooks/wh_1", "parked"),
        (("rotate", "wh_1"), {"webhook": HOOK, "secret": "whs_2"}, "POST /webhooks/wh_1/rotate",
         "whs_2"),
        (("resume", "wh_1"), {"webhook": HOOK}, "POST /webhooks/wh_1/resume", "wh_aaaa"),
        (("ping", "wh_1"), {"delivery_id": "9"}, "POST /webhooks/wh_1/ping", "delivery 9"),
        (("remove", "wh_1"), {"webhook_id": "wh_1"}, "DELETE /webhooks/wh_1", "removed"),
        (("deliveries", "wh_1"), {"deliveries": [SENT]}, "GET /webhooks/wh_1/deliveries?limit=50",
         "500"),
    ],
)  # fmt: skip
def test_each_command_asks_for_one_thing_and_shows_it(words, answer, request_, shown, capsys):
    for more in ((), ("--json",)):
        with FakeRest((200, {"seq": 1, "ts": 5, **answer})) as fake:
            assert wellhead(fake, "webhooks", *words, *more) == Exit.OK
            method, path, _, _ = fake.seen[0]
        assert f"{method} {path}" == request_.replace(" /", " /api/v1/")
        said = capsys.readouterr().out
        assert (shown in said) or more


async def test_both_clients_have_the_secret_once_and_the_log():
    created, listed = {"webhook": HOOK, "secret": "whs_1"}, {"webhooks": [HOOK]}
    script = [(201, created), (200, listed), (200, {"deliveries": [SENT], "next_cursor": "7"})]
    with FakeRest(*script) as fake, Client(fake.url, KEY, SECRET) as client:
        assert client.webhooks.create(HOOK["url"], ["fill"]).secret == "whs_1"
        assert next(iter(client.webhooks.list())).secret is None
        page = client.webhooks.deliveries("wh_1")
        assert (next(iter(page)).http_status, page.next_cursor) == (500, "7")
    with FakeRest((200, {"delivery_id": "9"}), (200, {"webhook": HOOK})) as fake:
        async with AsyncClient(fake.url, KEY, SECRET) as client:
            assert await client.webhooks.ping("wh_1") == "9"
            assert (await client.webhooks.resume("wh_1")).why == HOOK["why"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[str, str]:
    """Return files of a certificate for the host, and of its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
def receiver(certificate, monkeypatch):
    """Serve the example on a free port, with the secret "s"; return its port."""
    path = ROOT / "examples/webhook_receiver.py"
    spec = importlib.util.spec_from_file_location("webhook_receiver", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.Receiver, "log_message", lambda *_: None)
    server = module.server_of(["s", *certificate, "0"])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


async def test_the_example_takes_over_tls_what_is_signed_and_nothing_else(
    certificate, receiver, monkeypatch, capsys
):
    monkeypatch.setattr("time.time_ns", lambda: MS * 1_000_000)
    trust = ssl.create_default_context(cafile=certificate[0])

    async def resolve(host):
        return ["93.184.216.34"]

    async def connect(address, host):
        return await asyncio.open_connection("127.0.0.1", receiver, ssl=trust, server_hostname=host)

    async def told(secret: bytes, host: str = HOST) -> int:
        body = envelope(7, "fill", 5, "alice", '{"fills":[]}')
        headers = {"WH-TIMESTAMP": str(MS), "WH-SIGN": signature(secret, MS, body)}
        return await tell(https_address(f"https://{host}/in"), headers, body, resolve, connect)

    assert [await told(b"s"), await told(b"s"), await told(b"other")] == [204, 204, 400]
    assert capsys.readouterr().out == "fill {'fills': []}\n"  # the second was known
    with pytest.raises(FetchRefused, match=r"CERTIFICATE_VERIFY_FAILED|certificate"):
        await told(b"s", "other.example.com")
