"""What one run of the load gives: counts and quantiles, ready for JSON."""

from typing import Any, Final

QUANTILES: Final = (0.5, 0.9, 0.99, 0.999)


def result(latencies_s: list[float], seconds: float, refusals: list[str]) -> dict[str, Any]:
    """Return what was measured, and the answers to what was refused: with one it is no figure."""
    ordered = sorted(latencies_s)
    return {
        "acks": len(ordered),
        "seconds": seconds,
        "refused": len(refusals),
        "refusal": refusals[0] if refusals else "",
        "latency_us": {
            str(quantile): 1e6 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]
            for quantile in QUANTILES
        },
    }
