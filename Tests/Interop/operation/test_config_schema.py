"""`config schema` against every configuration that stands in the repository, by a validator that others wrote."""

import copy
import json
import subprocess

import jsonschema
import pytest
import yaml

from support.fenced import blocks
from support.processes import MILLRACE, MILLRACE_AGENT, REPOSITORY

KINDS = ("agent", "broker", "pipeline")


def schema_of(kind):
    printed = subprocess.run([MILLRACE, "config", "schema", kind], check=True, capture_output=True, text=True, timeout=30).stdout
    schema = json.loads(printed)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


@pytest.fixture(scope="module")
def schemas():
    return {kind: schema_of(kind) for kind in KINDS}


FILES = sorted(
    [(path, "agent") for path in REPOSITORY.glob("agents/*/agent.yaml")]
    + [(path, "pipeline") for path in REPOSITORY.glob("pipelines/*/pipeline.yaml")]
    + [(path, path.stem) for path in REPOSITORY.glob("packaging/etc/*.yaml")]
)


def named(path):
    return str(path.relative_to(REPOSITORY))


def problems(document, schema):
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


@pytest.mark.parametrize("path, kind", FILES, ids=lambda value: named(value) if hasattr(value, "parts") else value)
def test_a_ready_configuration_is_taken(path, kind, schemas):
    assert problems(yaml.safe_load(path.read_text()), schemas[kind]) == []


def mappings(node, path=()):
    """Every mapping in a document with the way to it."""
    if isinstance(node, dict):
        yield path
        for key, value in node.items():
            yield from mappings(value, path + (key,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from mappings(value, path + (index,))


CHOSEN = {"labels", "columns", "rename", "row", "hosts", "values"}


@pytest.mark.parametrize("path, kind", FILES, ids=lambda value: named(value) if hasattr(value, "parts") else value)
def test_a_typo_is_refused_wherever_it_stands(path, kind, schemas):
    document = yaml.safe_load(path.read_text())
    places = [place for place in mappings(document) if not CHOSEN & set(place)]
    assert places
    for place in places:
        wrong = copy.deepcopy(document)
        spot = wrong
        for step in place:
            spot = spot[step]
        spot["tpyo"] = 1
        assert problems(wrong, schemas[kind]), f"a typo at {place} passes"


def without_required(schema):
    if isinstance(schema, dict):
        return {key: without_required(value) for key, value in schema.items() if key != "required" or not isinstance(value, list)}
    return [without_required(value) for value in schema] if isinstance(schema, list) else schema


EXAMPLES = [
    (page, block.line, block.text)
    for page in sorted(REPOSITORY.glob("docs/*.md"))
    for block in blocks(page)
    if block.marks and block.marks[0] == "yaml"
]


@pytest.mark.parametrize("page, line, text", EXAMPLES, ids=lambda value: f"{value.name}" if hasattr(value, "parts") else str(value)[:8])
def test_the_examples_of_the_docs_are_taken(page, line, text, schemas):
    """An example may be a part of a file: what it leaves out is not asked for."""
    document = yaml.safe_load(text)
    if isinstance(document, list):
        key = "sources" if {"file", "journal", "nginx"} & set(document[0]) and "agent" in page.name else "to" if {"export", "file"} & set(document[0]) else "steps"
        document = {key: document}
    fitting = [kind for kind in KINDS if not problems(document, without_required(schemas[kind]))]
    assert fitting, {kind: problems(document, without_required(schemas[kind])) for kind in KINDS}


@pytest.mark.parametrize(
    "kind, document",
    [
        ("agent", {"broker": "a:9092", "sources": [{"nginx": None}], "batch": {"codec": "gzipp"}}),
        ("agent", {"broker": "a:9092", "sources": [{"nginx": None}], "stop_timeout": "10"}),
        ("agent", {"broker": "a:9092", "sources": [{"nginx": None}], "intents": {"size": "64 MegaBytes"}}),
        ("agent", {"broker": "a:9092"}),
        ("broker", {"disk_lanes": 65}),
        ("broker", {"auto_create_topics": "perhaps"}),
        ("pipeline", {"pipeline": "p", "to": [{"file": {"path": "/a"}}]}),
        ("pipeline", {"pipeline": "p", "from": {"topics": "t"}, "to": {"file": {"path": "/a"}}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_values_and_missing_keys_are_refused_as_the_decoder_refuses_them(kind, document, schemas, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(yaml.safe_dump(document))
    assert subprocess.run([MILLRACE, "config", "validate", kind, file], capture_output=True, timeout=30).returncode == 78
    assert problems(document, schemas[kind])


def test_the_slim_agent_prints_the_same_schema():
    printed = subprocess.run([MILLRACE_AGENT, "config", "schema"], check=True, capture_output=True, text=True, timeout=30).stdout
    assert json.loads(printed) == schema_of("agent")


@pytest.mark.parametrize("path, kind", FILES, ids=lambda value: named(value) if hasattr(value, "parts") else value)
def test_what_config_print_says_is_a_file_that_means_the_same(path, kind, schemas, tmp_path):
    """Effective and unredacted, it stands for itself: printed again it is the same, defaults now said."""

    def printed(file, *options):
        done = subprocess.run([MILLRACE, "config", "print", kind, file, *options], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    effective = printed(path, "--effective", "--no-redacted")
    again = tmp_path / path.name
    again.write_text(effective)
    assert yaml.safe_load(printed(again, "--effective", "--no-redacted")) == yaml.safe_load(effective)
    assert problems(yaml.safe_load(effective), schemas[kind]) == []
    assert "# default" in effective
