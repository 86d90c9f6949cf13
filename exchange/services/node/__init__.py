"""A node: the roles of one process, wired. The only place that knows every room."""

from exchange.services.node.progress import Progress
from exchange.services.node.serving import serve

__all__ = ["Progress", "serve"]
