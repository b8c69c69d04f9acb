"""The fenced blocks of the docs: those marked `run` are run, those marked `output` are what the block before them prints."""

import dataclasses
import re

FENCE = re.compile(r"^( *)```(.*)$")


@dataclasses.dataclass
class Block:
    line: int
    marks: list
    text: str


def blocks(page):
    found, opened = [], None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if fence and opened is None:
            opened = Block(number + 1, fence.group(2).split(), "")
        elif fence:
            found.append(opened)
            opened = None
        elif opened is not None:
            opened.text += line + "\n"
    assert opened is None, f"{page}: the block of line {opened.line} has no end"
    return found


def script(page):
    """The `run` blocks of a page as one script: they build on one another. Each says first where it stands."""
    parts, checks = [], []
    previous = None
    for block in blocks(page):
        if "run" in block.marks:
            assert block.marks[0] == "sh", f"{page}:{block.line}: only sh is run"
            previous = f"{page.name}:{block.line}"
            parts.append(f"echo '@@ {previous}'\n{block.text}")
        elif "output" in block.marks:
            assert previous, f"{page}:{block.line}: no block before it is run"
            checks.append((previous, block.text.splitlines()))
    return "".join(parts), checks
