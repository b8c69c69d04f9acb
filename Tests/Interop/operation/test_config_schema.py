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
    documents = [{key: document} for key in ("sources", "steps", "to")] if isinstance(document, list) else [document]
    found = [problems(document, without_required(schemas[kind])) for document in documents for kind in KINDS]
    assert [] in found, found
