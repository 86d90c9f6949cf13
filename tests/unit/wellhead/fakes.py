"""Servers that stand in for the exchange, one for REST and a hostile one for the websocket."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from wellhead.cli.app import run

KEY, SECRET = "K1", "S1"


class FakeRest:
    """Answers from a script, one entry a request, and keeps what it was asked."""

    def __init__(self, *script):
        self.script = list(script)
        self.seen = []
        self.signatures = set()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.seen.append((self.command, self.path, body, dict(self.headers)))
                step = fake.script.pop(0)
                if step is None:  # cut the line
                    self.close_connection = True
                    self.connection.close()
                    return
                status, content, *more = step
                raw = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def signed(self, index=-1, secret=SECRET):
        """Say whether the request carries the documented signature of its own bytes."""
        method, target, body, headers = self.seen[index]
        head = "".join(headers[h] for h in ("WH-TIMESTAMP", "WH-KEY", "WH-RECV-WINDOW"))
        text = head.encode() + method.encode() + target.encode() + body
        want = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        return hmac.compare_digest(want, headers["WH-SIGN"])


class FakeSocket:
    """A websocket exchange with one book, on a line that loses, doubles, reorders and breaks."""

    def __init__(self, *, loss=0.0, doubling=0.0, shuffle=0, cut=0.0, seed=1, auth_error=None):
        self.loss, self.doubling, self.shuffle, self.cut = loss, doubling, shuffle, cut
        self.auth_error = auth_error  # a list of problems, one a login
        self.rng = random.Random(seed)
        self.book = {"bids": {}, "asks": {}}
        self.seq = 10
        self.last_seq = 10
        self.history = {10: {"bids": {}, "asks": {}}}
        self.requests = []
        self.logins = 0
        self.connections = set()
        self.subscribed = set()
        self._held = []

    async def __aenter__(self):
        self.server = await serve(self._serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, socket):
        self.connections.add(socket)
        try:
            async for raw in socket:
                await self._answer(socket, json.loads(raw))
        finally:
            self.connections.discard(socket)
            self.subscribed.discard(socket)

    async def _answer(self, socket, message):
        self.requests.append(message)
        op, reply = message["op"], {"id": message.get("id"), "op": message["op"], "ok": True}
        reply |= {"seq": self.seq, "ts_ns": str(time.time_ns()), "result": {}}
        if op == "auth":
            self.logins += 1
            if self.auth_error and (problem := self.auth_error.pop(0)):
                reply |= {"ok": False, "error": problem}
        if op == "order.new":
            reply["result"] = {"order": order_of(message), "trades": [], "duplicate": False}
        if op == "order.cancel":
            reply |= {"ok": False, "error": {"status": 404, "code": "order_unknown"}}
        if op == "order.batch":  # never answers
            return
        await socket.send(json.dumps(reply))
        if op == "subscribe" and any(c.startswith("book.") for c in message["channels"]):
            self.subscribed.add(socket)
            await self._send(socket, self._snapshot())
        if op == "resync":
            await self._send(socket, self._snapshot())

    def _push(self, kind, seq, prev_seq, data):
        return {
            "channel": "book.X.raw",
            "type": kind,
            "seq": seq,
            "prev_seq": prev_seq,
            "ts": 1,
            "ts_ns": "1000000",
            "data": data,
        }

    def _snapshot(self):
        data = {side: [[p, q] for p, q in levels.items()] for side, levels in self.book.items()}
        return self._push("snapshot", self.last_seq, None, data)

    async def change(self):
        """Change one level and tell everyone, as far as the line carries it."""
        side, price = self.rng.choice(["bids", "asks"]), str(self.rng.randint(1, 20))
        quantity = str(self.rng.randint(0, 4))
        if quantity == "0":
            self.book[side].pop(price, None)
        else:
            self.book[side][price] = quantity
        prev, self.seq = self.last_seq, self.seq + self.rng.randint(1, 3)
        self.last_seq = self.seq
        self.history[self.seq] = {k: dict(v) for k, v in self.book.items()}
        data = {"bids": [], "asks": [], side: [[price, quantity]]}
        for socket in tuple(self.subscribed):
            await self._send(socket, self._push("update", self.seq, prev, data))
            if self.rng.random() < self.cut:
                await socket.close(1011)

    async def _send(self, socket, push):
        self._held.append(json.dumps(push))
        if len(self._held) <= self.rng.randint(0, self.shuffle):
            return
        held, self._held = self._held, []
        self.rng.shuffle(held)
        for text in held:
            if self.rng.random() >= self.loss:
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(text)
                    if self.rng.random() < self.doubling:
                        await socket.send(text)

    def calm(self):
        """Let the line be good from now on."""
        self.loss = self.doubling = self.cut = 0.0
        self.shuffle = 0


def order_of(message):
    """Return an order as the exchange answers it."""
    return {
        "order_id": "1048577",
        "client_order_id": message.get("client_order_id"),
        "symbol": message["symbol"],
        "side": message["side"],
        "quantity": message["quantity"],
        "price": message.get("price"),
        "filled_quantity": "0",
        "remaining_quantity": message["quantity"],
        "status": "open",
        "seq": 11,
    }


async def until(condition, timeout_s=60.0):
    """Wait until the condition holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


def wellhead(fake, *arguments):
    """Run a command against a fake exchange; return its exit code."""
    return run([*arguments, "--url", fake.url])
