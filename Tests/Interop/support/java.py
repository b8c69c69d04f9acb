"""Apache Kafka's own Java client, driven by the small programs under `clients/java`."""

import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
JARS = ROOT / ".venv" / "java"
SOURCES = ROOT / "Tests" / "Interop" / "clients" / "java"


_classes = None


def command(program, *arguments):
    """What starts it; the programs are compiled once a run. The serial collector and the quick compiler make a short life short."""
    global _classes
    if _classes is None:
        _classes = tempfile.TemporaryDirectory(prefix="millrace-java-")
        subprocess.run(["javac", "-cp", f"{JARS}/*", "-d", _classes.name, *map(str, SOURCES.glob("*.java"))], check=True, timeout=120)
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{_classes.name}:{JARS}/*", program, *map(str, arguments)]


def run(program, *arguments, timeout=120):
    """The lines that it printed."""
    result = subprocess.run(command(program, *arguments), capture_output=True, text=True, timeout=timeout)
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout.splitlines()
