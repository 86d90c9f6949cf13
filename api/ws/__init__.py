"""The websocket: one URL for public data, private data and trading."""
