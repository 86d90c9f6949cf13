"""Roots over final settlements without a database: two settlements of one day, under one root."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.io.delivery_proofs import SignedRoot
from exchange.io.settlement_roots import FinalProof
from exchange.rules.delivery.merkle import Root, leaf, path_of, root_of
from exchange.rules.settlement_tree import TITLE, FinalLeaf
from exchange.rules.tenors import NS_PER_DAY

DAY = 20_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def final_leaf(number: int, symbol: str, at_ns: int = DAY * NS_PER_DAY) -> FinalLeaf:
    """Return a settlement at 2.8157 over three days."""
    return FinalLeaf(number, symbol, 90 + number, at_ns, 3, 202_730_400, 5, 7, f"{number:064x}")


def sealed(leaves: list[FinalLeaf], before: bytes = bytes(32)) -> SignedRoot:
    """Return the signed root over settlements of one day."""
    tree = root_of([leaf(one.line) for one in leaves])
    root = Root(leaves[0].day, leaves[0].number, leaves[-1].number, tree, before)
    return SignedRoot(root, KEY.public_key().public_bytes_raw(), KEY.sign(root.text(TITLE)))


def proof_of(leaves: list[FinalLeaf], at: int) -> FinalProof:
    """Return the proof of one of some settlements of a day."""
    path = path_of([leaf(one.line) for one in leaves], at)
    return FinalProof(leaves[at], path, sealed(leaves))


class MemoryRoots:
    """Final settlements of one day."""

    def __init__(self, *symbols: str) -> None:
        self.leaves = [final_leaf(at + 1, symbol) for at, symbol in enumerate(symbols)]

    async def roots(self, before_day: int, limit: int) -> list[SignedRoot]:
        return [sealed(self.leaves)][:limit] if before_day > DAY else []

    async def proof(self, symbol: str) -> FinalProof | None:
        for at, one in enumerate(self.leaves):
            if one.symbol == symbol:
                return proof_of(self.leaves, at)
        return None
