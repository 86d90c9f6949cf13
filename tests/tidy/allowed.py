"""The exceptions: a file, the rule it may break, and why. An entry no longer needed fails."""

from dataclasses import dataclass

from tests.tidy.house import ROOT, Rule, Source, found


@dataclass(frozen=True)
class Allowed:
    """One file that may break one rule, and the reason."""

    path: str
    rule: str
    reason: str


ALLOWED = (Allowed("matching/book.py", "unsigned", "the bitmap words of the book"),)


def found_unless_allowed(rule: Rule, sources: list[Source], name: str) -> list[str]:
    """Return the violations outside the table, and the entries of the table that allow nothing."""
    excused = {a.path for a in ALLOWED if a.rule == name}
    violations = found(rule, [s for s in sources if s.path not in excused])
    idle = [
        f"{s.path}: the exception for {name} is no longer needed"
        for s in sources
        if s.path in excused and (ROOT / s.path).exists() and not found(rule, [s])
    ]
    return violations + idle
