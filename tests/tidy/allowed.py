"""The exceptions: a file, the rule it may break, and why. An entry no longer needed fails."""

from dataclasses import dataclass

from tests.tidy.house import Rule, Source, found


@dataclass(frozen=True)
class Allowed:
    """One file that may break one rule, and the reason."""

    path: str
    rule: str
    reason: str


ALLOWED: tuple[Allowed, ...] = (
    Allowed("matching/feed.py", "unsigned", "the bytes of a feed file are unsigned; rows are not"),
)


def found_unless_allowed(
    rule: Rule, sources: list[Source], name: str, allowed: tuple[Allowed, ...] = ALLOWED
) -> list[str]:
    """Return the violations outside the table, and the entries of the table that allow nothing."""
    excused = {a.path for a in allowed if a.rule == name}
    violations = found(rule, [s for s in sources if s.path not in excused])
    idle = [
        f"{s.path}: the exception for {name} is no longer needed"
        for s in sources
        if s.path in excused and not found(rule, [s])
    ]
    return violations + idle
