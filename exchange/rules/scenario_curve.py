"""The three principal components of the curve: how near, one-year and three-year prices move.

Each day on which any of them moved is a vector (front, one year, three years). The eigenvectors of
the second moments of these vectors are the components, the largest first: usually the whole curve
together, a slope, a bend. The first is left to the level and its fade (`scenarios.shape_factors`);
the second and the third are the twist. A twist leaves the front where the level put it: its loading
at a time to delivery is what the component does there beyond what it does at the front.

Jacobi's rotations in Decimal of one precision: the same digits on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from exchange.rules.money import DECIMAL, div_half_even, round_half_even
from exchange.rules.scenario_history import PPM

NODES_DAYS: Final = (0, 365, 1095)
ROTATIONS: Final = 24  # pairs of a 3 x 3 matrix are swept eight times: more than enough digits
TWISTS: Final = (1, 2)  # components by size; the first, 0, is the level

Vector = tuple[int, int, int]
Matrix = list[list[Decimal]]


@dataclass(frozen=True, slots=True)
class Components:
    """Loadings at the nodes in ppm by component, and each component's share of all variance."""

    loadings: tuple[Vector, ...]
    share_bps: Vector

    def score(self, component: int, moves: Vector) -> int:
        """Return how much of a component is in a day's moves, in ppm."""
        pairs = zip(self.loadings[component], moves, strict=True)
        return div_half_even(sum(loading * move for loading, move in pairs), PPM)

    def twist(self, component: int, days: int) -> int:
        """Return what a component does so many days from delivery beyond the front, in ppm."""
        return _between(self.loadings[component], days) - self.loadings[component][0]


def _between(values: Vector, days: int) -> int:
    """Return the straight line between nodes; the last node's value beyond it."""
    for at in range(len(NODES_DAYS) - 1):
        low, high = NODES_DAYS[at], NODES_DAYS[at + 1]
        if days <= high:
            rise = (values[at + 1] - values[at]) * (max(days, low) - low)
            return values[at] + div_half_even(rise, high - low)
    return values[-1]


def components(moves: Sequence[Vector]) -> Components:
    """Return the components of days of moves; without any move, of three that are apart."""
    moments = [
        [Decimal(sum(move[row] * move[column] for move in moves)) for column in range(3)]
        for row in range(3)
    ]
    values, vectors = _eigen(moments)
    order = sorted(range(3), key=lambda at: (-values[at], at))
    whole = sum(max(values[at], Decimal(0)) for at in order) or Decimal(1)
    shares = [round_half_even(DECIMAL.divide(values[at] * 10_000, whole)) for at in order]
    loadings = [_signed([vectors[row][at] for row in range(3)]) for at in order]
    return Components(tuple(loadings), (shares[0], shares[1], shares[2]))


def _signed(vector: list[Decimal]) -> Vector:
    """Return a vector in ppm, its largest part positive: a component has no sign of its own."""
    ppm = [round_half_even(DECIMAL.multiply(part, Decimal(PPM))) for part in vector]
    largest = max(range(3), key=lambda at: (abs(ppm[at]), -at))
    sign = -1 if ppm[largest] < 0 else 1
    return (sign * ppm[0], sign * ppm[1], sign * ppm[2])


def _eigen(matrix: Matrix) -> tuple[list[Decimal], Matrix]:
    """Return the eigenvalues of a symmetric matrix, and the eigenvectors as columns."""
    vectors = [[Decimal(row == column) for column in range(3)] for row in range(3)]
    for turn in range(ROTATIONS):
        p, q = ((0, 1), (0, 2), (1, 2))[turn % 3]
        if matrix[p][q] != 0:
            cosine, sine = _angle(matrix[p][p], matrix[q][q], matrix[p][q])
            matrix = _rotated(matrix, p, q, cosine, sine)
            vectors = _columns_turned(vectors, p, q, cosine, sine)
    return [matrix[at][at] for at in range(3)], vectors


def _angle(a: Decimal, b: Decimal, off: Decimal) -> tuple[Decimal, Decimal]:
    """Return cosine and sine of the rotation that makes one off-diagonal pair zero."""
    theta = DECIMAL.divide(b - a, 2 * off)
    root = DECIMAL.sqrt(DECIMAL.add(DECIMAL.multiply(theta, theta), Decimal(1)))
    tangent = DECIMAL.divide(Decimal(1), abs(theta) + root)
    tangent = -tangent if theta < 0 else tangent
    cosine = DECIMAL.divide(
        Decimal(1), DECIMAL.sqrt(DECIMAL.add(DECIMAL.multiply(tangent, tangent), Decimal(1)))
    )
    return cosine, DECIMAL.multiply(tangent, cosine)


def _columns_turned(matrix: Matrix, p: int, q: int, cosine: Decimal, sine: Decimal) -> Matrix:
    turned = [list(row) for row in matrix]
    for row in turned:
        left, right = row[p], row[q]
        row[p] = _dot(cosine, left, -sine, right)
        row[q] = _dot(sine, left, cosine, right)
    return turned


def _rotated(matrix: Matrix, p: int, q: int, cosine: Decimal, sine: Decimal) -> Matrix:
    """Return the matrix turned on both sides."""
    half = _columns_turned(matrix, p, q, cosine, sine)
    flipped = [[half[row][column] for row in range(3)] for column in range(3)]
    whole = _columns_turned(flipped, p, q, cosine, sine)
    return [[whole[row][column] for row in range(3)] for column in range(3)]


def _dot(a: Decimal, x: Decimal, b: Decimal, y: Decimal) -> Decimal:
    return DECIMAL.add(DECIMAL.multiply(a, x), DECIMAL.multiply(b, y))
