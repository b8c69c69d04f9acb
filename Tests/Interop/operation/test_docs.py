"""Every fenced block of the docs that is marked `run` is run as it stands: in a scratch folder, a network and a /tmp of its own."""

import re
import subprocess

import pytest

from support.fenced import blocks, script
from support.processes import MILLRACE, REPOSITORY

PAGES = sorted(
    page
    for page in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("agents/*/*.md"), *REPOSITORY.glob("pipelines/*/*.md")]
    if any("run" in block.marks for block in blocks(page))
)

# In namespaces of its own, so that Millrace's usual ports are free, /tmp is empty, and everything that was started ends with the script.
INSIDE = """
set -e
ip link set lo up
mount -t tmpfs tmpfs /tmp
mkdir /tmp/scratch
cd /tmp/scratch
for name in agents pipelines docs; do ln -s "$REPOSITORY/$name"; done
exec bash -e /dev/stdin
"""


def test_there_are_such_blocks():
    assert {"README.md", "install.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_the_page_says_works(page):
    text, checks = script(page)
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", INSIDE],
        input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        env={"PATH": f"{MILLRACE.parent}:/usr/sbin:/usr/bin:/sbin:/bin", "REPOSITORY": str(REPOSITORY), "HOME": "/tmp", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout[-6000:]
    printed = dict(re.findall(r"^@@ (\S+)\n(.*?)(?=^@@ |\Z)", done.stdout, re.MULTILINE | re.DOTALL))
    for block, lines in checks:
        for line in lines:
            # Three dots stand for what differs from run to run.
            pattern = ".*".join(re.escape(part) for part in line.split("…"))
            assert re.search(f"^{pattern}$", printed[block], re.MULTILINE), f"{block} should print {line!r}, not\n{printed[block]}"
