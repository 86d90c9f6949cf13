"""A proof of deleveraging as it is published, and read again by whoever checks it."""

from dataclasses import asdict
from typing import Any

from exchange.rules.adl import AdlProof, AdlRow, Closing, faults


def proof_out(proof: AdlProof) -> dict[str, Any]:
    """Return a proof as JSON."""
    return {
        "closing": asdict(proof.closing),
        "rows": [asdict(row) for row in proof.rows],
        "left_lots": proof.left_lots,
    }


def proof_in(body: dict[str, Any]) -> AdlProof:
    """Return the proof of its JSON.

    Errors:
        ValueError: it is none.
    """
    try:
        return AdlProof(
            closing=Closing(**body["closing"]),
            rows=tuple(AdlRow(**row) for row in body["rows"]),
            left_lots=body["left_lots"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a proof: {error!r}") from error


def faults_of_published(body: dict[str, Any]) -> list[str]:
    """Return what is wrong with a published proof, its digest included."""
    proof = proof_in(body)
    found = faults(proof)
    if proof.digest() != body.get("digest"):
        found.append("the digest is another")
    return found
