"""What no file says: no unfinished work, no swallowed error, no machine, no dead link."""

import ast
import re
from collections.abc import Iterator
from os.path import normpath
from pathlib import Path

import pytest

from tests.tidy.house import ROOT, Source, found, planted, python, texts

# A class of one letter, so that no pattern finds itself.
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E])\b")
MACHINE = re.compile(
    r"(?<![\w.~-])/(roo[t]|wor[k]|hom[e]/\w+|User[s]/\w+|opt/wheel[s])\b/?"
    r"|files\.pythonhoste[d]\.org|pypi\.or[g]/(simple|packages)"
    r"|registry\.(npmj[s]\.org|yarnpk[g]\.com)|(deb|security|ftp)\.debia[n]\.org"
)
BROAD = {"Exception", "BaseException"}
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def unfinished(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.lines, 1):
        if match := UNFINISHED.search(line):
            yield number, f"{match.group()}: do it, or write it where work is tracked"


def machine(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.lines, 1):
        if match := MACHINE.search(line):
            yield number, f"names a machine: {match.group()}"


def swallowed(source: Source) -> Iterator[tuple[int, str]]:
    """Find a bare `except:`, a handler that does nothing, and `suppress(Exception)`."""
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node.lineno, "bare except: name the class"
            case ast.ExceptHandler(body=[ast.Pass() | ast.Expr(ast.Constant())]):
                yield node.lineno, "the error is swallowed: act on it, or suppress() that class"
            case ast.Call(func=func, args=args) if ast.unparse(func).endswith("suppress"):
                if BROAD & {ast.unparse(a) for a in args}:
                    yield node.lineno, "suppress() of every error: name the class"


def slug(heading: str) -> str:
    """Return the anchor that a Markdown heading gets."""
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a Markdown text."""
    headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", FENCE.sub("", text), re.MULTILINE)
    explicit = re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)
    return {slug(h) for h in headings} | set(explicit)


def dead_link(source: Source) -> Iterator[tuple[int, str]]:
    prose = CODE.sub("", FENCE.sub(lambda m: "\n" * m.group().count("\n"), source.text))
    for match in LINK.finditer(prose):
        target, _, anchor = match.group(1).partition("#")
        if re.match(r"[a-z]+:", match.group(1)):
            continue
        line = prose.count("\n", 0, match.start()) + 1
        file = Path(normpath((ROOT / source.path).parent / target)) if target else ROOT
        if not file.exists():
            yield line, f"no such file: {target}"
        elif anchor and target.endswith(".md"):
            if anchor not in anchors(file.read_text()):
                yield line, f"no such heading: {match.group(1)}"
        elif anchor and not target and anchor not in anchors(source.text):
            yield line, f"no such heading: #{anchor}"


def markdown() -> list[Source]:
    """Return the Markdown files."""
    return [s for s in texts() if s.path.endswith(".md")]


def test_nothing_is_left_unfinished():
    assert found(unfinished, texts()) == []


def test_no_file_names_a_machine_or_a_registry():
    assert found(machine, texts()) == []


def test_no_error_is_swallowed():
    assert (
        found(swallowed, python("matching", "exchange", "api", "wellhead", "tools", "tests")) == []
    )


def test_every_local_link_resolves():
    assert found(dead_link, markdown()) == []


def test_planted_unfinished_work_is_found():
    assert found(unfinished, [planted("# TO" + "DO later")])
    assert found(unfinished, [planted("todos = mastodon")]) == []


@pytest.mark.parametrize(
    "line",
    [
        "/ro" + "ot/.venv/bin/python",
        "cd /wo" + "rk/main",
        "https://files.python" + "hosted.org/packages/a.whl",
        '"resolved": "https://registry.' + 'npmjs.org/a"',
    ],
)
def test_a_planted_machine_is_found(line):
    assert found(machine, [planted(line)])


def test_a_path_that_only_looks_like_a_machine_passes():
    assert found(machine, [planted("api/root/x net/work/y ./work/z /worker /rooted")]) == []


@pytest.mark.parametrize(
    "body",
    [
        "except OSError: pass",
        "except OSError: ...",
        "except: raise",
        "finally: suppress(Exception)",
    ],
)
def test_a_planted_swallowed_error_is_found(body):
    assert found(swallowed, [planted(f"try: x\n{body}")])


def test_a_handled_error_passes():
    assert found(swallowed, [planted("try: x\nexcept OSError: y\nsuppress(OSError)")]) == []


@pytest.mark.parametrize("link", ["nowhere.md", "../README.md#no-such-heading", "#nor-this"])
def test_a_planted_dead_link_is_found(link):
    assert found(dead_link, [planted(f"# A\n\n[a]({link})", "docs/planted.md")])


@pytest.mark.parametrize(
    "link", ["../LICENSE", "https://example.com", "#a-b", "mailto:a@example.com"]
)
def test_a_live_link_passes(link):
    assert found(dead_link, [planted(f"# A `b`\n\n[a]({link})", "docs/planted.md")]) == []
