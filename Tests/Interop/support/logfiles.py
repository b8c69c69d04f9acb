"""Programs that write log files and what rotates them, as the seed says: for histories with real processes and files."""

import os
import pathlib
import shutil
import subprocess
import time

KINDS = ["rename", "dates", "copytruncate", "truncate", "shifted-gzip"]


class Line:
    def __init__(self, text, generation):
        self.text = text
        self.generation = generation
        # Written after its file was renamed: it may stand after lines of the younger file.
        self.is_late = False
        # Its file was cut before anybody knew that it had been read.
        self.may_be_lost = False


class LogSource:
    """One path, its program and its rotation. `is_delivered(texts)` says whether the topic holds these lines by now."""

    def __init__(self, path, kind, chance, is_delivered):
        self.path = pathlib.Path(path)
        self.kind = kind
        self.chance = chance
        self.is_delivered = is_delivered
        self.lines = []
        self.generation = 0
        self.file = None
        self.part = None
        self.rotations = 0
        self.compressions = []

    @property
    def key(self):
        return str(self.path)

    # What the program does.

    def open(self):
        self.file = open(self.path, "ab", buffering=0)

    def write(self, file=None, is_late=False, generation=None):
        file = file or self.file
        line = Line(self.text(), self.generation if generation is None else generation)
        line.is_late = is_late
        self.lines.append(line)
        file.write(line.text.encode() + b"\n")

    def text(self):
        return f"{self.path.name} {len(self.lines)} " + "x" * self.chance.randrange(200)

    def step(self):
        if self.file is None:
            self.open()
        choice = self.chance.random()
        if self.part:
            self.file.write(self.part.encode() + b"\n")
            self.part = None
        elif choice < 0.5:
            for _ in range(self.chance.randrange(1, 5)):
                self.write()
        elif choice < 0.6:
            for _ in range(self.chance.randrange(100, 400)):
                self.write()
        elif choice < 0.75:
            line = Line(self.text(), self.generation)
            self.lines.append(line)
            cut = self.chance.randrange(1, len(line.text))
            self.file.write(line.text[:cut].encode())
            self.part = line.text[cut:]
        elif choice < 0.95:
            self.rotate()

    def finish(self):
        if self.part:
            self.file.write(self.part.encode() + b"\n")
            self.part = None
        for child in self.compressions:
            assert child.wait() == 0

    # What rotates.

    def rotate(self):
        if self.path.exists() and self.path.stat().st_size == 0:
            return
        self.rotations += 1
        if self.kind in ("rename", "shifted-gzip"):
            self.rename_by_number()
        elif self.kind == "dates":
            self.replace(self.path.with_name(f"{self.path.name}-{20260100 + self.rotations}"))
        elif self.kind == "copytruncate":
            self.shift()
            shutil.copy2(self.path, f"{self.path}.1")
            os.truncate(self.path, 0)
            self.generation += 1
        else:
            self.cut()

    def rename_by_number(self):
        if self.kind == "shifted-gzip" and os.path.exists(f"{self.path}.1"):
            subprocess.run(["gzip", "-f", f"{self.path}.1"], check=True)
        self.shift()
        self.replace(pathlib.Path(f"{self.path}.1"))

    def shift(self):
        for number in range(self.rotations, 0, -1):
            for end in ("", ".gz"):
                if os.path.exists(f"{self.path}.{number}{end}"):
                    os.rename(f"{self.path}.{number}{end}", f"{self.path}.{number + 1}{end}")

    def replace(self, target):
        """Renames, and lets a slow worker write into the old file."""
        os.rename(self.path, target)
        old, generation = self.file, self.generation
        self.generation += 1
        self.open()
        if self.chance.random() < 0.5:
            self.write(old, is_late=True, generation=generation)
        old.close()
        if self.kind == "dates" and self.chance.random() < 0.5:
            # After a while, as `delaycompress` does; nobody writes to it any more.
            self.compressions.append(subprocess.Popen(["sh", "-c", f"sleep 0.3; exec gzip '{target}'"]))

    def cut(self):
        """Destroys: what is known to be read is asked for all the same."""
        mine = [line for line in self.lines if line.generation == self.generation]
        if self.chance.random() < 0.5:
            end = time.monotonic() + 1.5
            while time.monotonic() < end and not self.is_delivered([line.text for line in mine]):
                time.sleep(0.1)
        if not self.is_delivered([line.text for line in mine]):
            for line in mine:
                line.may_be_lost = True
        os.truncate(self.path, 0)
        self.generation += 1

    # What is asked for.

    def violations(self, delivered):
        found = []
        places = {}
        for place, text in enumerate(delivered):
            places.setdefault(text, []).append(place)
        last_of_generation, reached = {}, -1
        for text in set(places) - {line.text for line in self.lines}:
            found.append(f"never written: {text[:60]}")
        for line in sorted(self.lines, key=lambda line: line.generation):
            here = places.get(line.text, [])
            if len(here) > 1:
                found.append(f"{len(here)} times: {line.text[:40]}")
            if not here:
                if not line.may_be_lost:
                    found.append(f"lost: {line.text[:40]} of generation {line.generation}")
                continue
            if here[0] < last_of_generation.get(line.generation, -1):
                found.append(f"out of order within {line.generation}: {line.text[:40]}")
            last_of_generation[line.generation] = here[0]
            if not line.is_late:
                if here[0] < reached:
                    found.append(f"after younger lines: {line.text[:40]} of {line.generation}")
                reached = max(reached, here[0])
        return found

    def was_lost(self, delivered):
        known = set(delivered)
        return [line for line in self.lines if line.may_be_lost and line.text not in known]
