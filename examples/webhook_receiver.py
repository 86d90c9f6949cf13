# ruff: noqa: T201 an example prints
"""Receive webhooks: `python examples/webhook_receiver.py SECRET CERT.pem KEY.pem [PORT]`."""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wellhead.webhooks import SignatureInvalid, verify

USAGE = "usage: python examples/webhook_receiver.py SECRET CERT.pem KEY.pem [PORT]"
BODY_BYTES_MAX = 1 << 20


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 once a delivery is kept, 4xx to what is not of the exchange."""

    timeout = 10.0  # for who connects and says nothing
    server: "Server"

    def do_POST(self) -> None:
        """Take a delivery."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or int(length[:9]) > BODY_BYTES_MAX:
            return self.send_error(411 if not length else 413, "a length of at most 1 MiB")
        try:
            event = verify(self.server.secret, self.headers, self.rfile.read(int(length)))
        except SignatureInvalid as error:
            return self.send_error(400, str(error))
        if event.id not in self.server.heard:
            self.server.heard.add(event.id)
            print(event.event, event.data, flush=True)
        self.send_response(204)
        return self.end_headers()


class Server(ThreadingHTTPServer):
    """Listens with TLS; whoever speaks anything else is one line, no end."""

    def __init__(self, port: int, secret: str, context: ssl.SSLContext) -> None:
        super().__init__(("", port), Receiver)
        self.secret = secret
        self.heard: set[str] = set()  # of a real one: a table, in one step with what follows
        # Each connection shakes hands in its own thread: a silent one keeps nobody waiting.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in a line what went wrong with a connection."""
        print(f"{client_address[0]}: {sys.exception()}", file=sys.stderr)


def server_of(arguments: list[str]) -> Server:
    """Return the server that the command line asks for, or end with what is wrong with it."""
    port = arguments[3] if len(arguments) == 4 else "8443"
    if len(arguments) not in (3, 4) or not (port.isascii() and port.isdecimal()):
        sys.exit(USAGE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(arguments[1], arguments[2])
        return Server(int(port), arguments[0], context)
    except (OSError, OverflowError) as error:
        sys.exit(f"{arguments[1]}, {arguments[2]}, port {port}: {error}")


def main() -> None:
    """Serve until Ctrl-C."""
    try:
        server_of(sys.argv[1:]).serve_forever()
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
