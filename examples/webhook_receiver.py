# ruff: noqa: T201 an example prints
"""Receive webhooks: `python examples/webhook_receiver.py SECRET CERT.pem KEY.pem [PORT]`."""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from wellhead.webhooks import SignatureInvalid, verify

heard: set[str] = set()  # of a real receiver: a table, written in one step with what follows


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 once a delivery is kept, 400 to what is not of the exchange."""

    def do_POST(self) -> None:
        """Take a delivery."""
        body = self.rfile.read(min(int(self.headers["Content-Length"] or 0), 1 << 20))
        try:
            event = verify(sys.argv[1], self.headers, body)
        except SignatureInvalid as error:
            return self.send_error(400, str(error))
        if event.id not in heard:
            heard.add(event.id)
            print(event.event, event.data, flush=True)
        self.send_response(204)
        return self.end_headers()


def main() -> None:
    """Serve until Ctrl-C."""
    server = HTTPServer(("", int(sys.argv[4]) if len(sys.argv) > 4 else 8443), Receiver)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
