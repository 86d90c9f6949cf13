"""HTTP and WebSocket: parse, send, answer."""
