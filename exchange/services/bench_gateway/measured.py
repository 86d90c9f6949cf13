"""What one run of the load gives: counts and quantiles, ready for JSON."""

from typing import Any, Final

QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)


def result(latencies_s: list[float], seconds: float, refused: int) -> dict[str, Any]:
    """Return what was measured."""
    ordered = sorted(latencies_s)
    return {
        "acks": len(ordered),
        "seconds": seconds,
        "refused": refused,
        "latency_us": {
            str(quantile): 1e6 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]
            for quantile in QUANTILES
        },
    }
