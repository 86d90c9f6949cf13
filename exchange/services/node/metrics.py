"""Metrics for Prometheus on a port of their own, read when asked for: orders cost nothing."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from exchange.config import Settings
from exchange.io.errors import PortTaken
from exchange.io.status import Mode, Status

Value = Callable[[], float]

PREFIX: Final = "wellhead_"


class Numbers:
    """A collector: names, what they mean, and functions that give their values."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._gauges: dict[str, tuple[str, Value]] = {}
        self._counters: dict[str, tuple[str, Value]] = {}
        self.counter("commands", "Commands committed.", lambda: status.journal_seq)
        self.gauge("applied_seq", "The last command applied.", lambda: status.seq)
        self.gauge("cleared_seq", "The last command posted.", lambda: status.clearing_seq)
        self.gauge("clearing_lag", "Commands not posted yet.", lambda: status.clearing_lag)
        self.gauge("leader_epoch", "How often the lead was taken.", lambda: status.epoch)

    def gauge(self, name: str, meaning: str, value: Value) -> None:
        """Show a value that goes up and down."""
        self._gauges[name] = (meaning, value)

    def counter(self, name: str, meaning: str, value: Value) -> None:
        """Show a value that only rises."""
        self._counters[name] = (meaning, value)

    def collect(self) -> Iterator[Metric]:
        """Yield the values of now."""
        mode = GaugeMetricFamily(PREFIX + "mode", "1 for the mode of now.", labels=["mode"])
        for one in Mode:
            mode.add_metric([one.value], float(self._status.mode == one))
        yield mode
        for name, (meaning, value) in list(self._gauges.items()):
            yield GaugeMetricFamily(PREFIX + name, meaning, value=value())
        for name, (meaning, value) in list(self._counters.items()):
            yield CounterMetricFamily(PREFIX + name, meaning, value=value())


def serve_metrics(settings: Settings, numbers: Numbers, stack: AsyncExitStack) -> str | None:
    """Answer scrapes until the stack closes; return the address, None when not wanted.

    Errors:
        PortTaken: another program has the port.
    """
    if settings.metrics_port == 0:
        return None
    registry = CollectorRegistry()
    registry.register(numbers)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    try:
        server, thread = start_http_server(
            settings.metrics_port, settings.metrics_host, registry=registry
        )
    except OSError as error:
        raise PortTaken(
            f"cannot listen on {settings.metrics_host} port {settings.metrics_port} for metrics:"
            f" {error.strerror}; choose another with WELLHEAD_METRICS_PORT"
        ) from error
    stack.callback(_close, server, thread)
    return f"http://{settings.metrics_host}:{settings.metrics_port}/metrics"


def _close(server: Any, thread: Any) -> None:
    server.shutdown()
    server.server_close()
    thread.join(5)
