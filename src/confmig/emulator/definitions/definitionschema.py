"""The JSON Schema of environment definitions, by which editors complete and check them.

It is made of the structures in ``definitions`` and what their docstrings say. ``python -m
confmig.emulator.definitionschema`` writes the file that comes with the emulator.
"""

import importlib.resources
import inspect
import re
import sys
from pathlib import Path

import msgspec

from confmig.emulator.behaviours import assumptions
from confmig.emulator.catalog import model
from confmig.emulator.definitions import definitions, tabledefinitions
from confmig.emulator.definitions.definitions import DefinitionFile, Json

SCHEMA_FILE = "schema.json"
_ATTRIBUTE = re.compile(r" {4}(\w+): (.*)")


def schema() -> Json:
    """The JSON Schema of one definition file."""
    (reference,), parts = msgspec.json.schema_components(
        [DefinitionFile], ref_template="#/$defs/{name}", schema_hook=_value_schema
    )
    structures = {**vars(model), **vars(tabledefinitions), **vars(definitions), **vars(assumptions)}
    for name, part in parts.items():
        _describe(part, structures[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Environment definition of confmig emulator",
        **reference,
        "$defs": parts,
    }


def schema_text() -> str:
    """The text of the file that holds it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _value_schema(kind: type) -> Json:
    """The schema of a value of a row, which depends on the row's column."""
    if kind is not object:
        # This is how a hook of msgspec says that it does not know a type: https://jcristharif.com/msgspec/jsonschema.html
        raise NotImplementedError
    return {
        "description": "A text, a number, true or false, a date. A lookup is the id of its row, or {table, id} when it "
        "can point to several tables; choices are a text such as '1,3'; a file or an image is {file, base64}."
    }


def _describe(part: Json, structure: type) -> None:
    """Put the docstring of a structure, and what it says of each attribute, into its part of the schema."""
    text, _, listed = (inspect.getdoc(structure) or "").partition("\nAttributes:\n")
    part["description"] = _joined(text)
    properties = part["properties"]
    if not isinstance(properties, dict):
        return
    name = ""
    said: dict[str, str] = {}
    for line in listed.splitlines():
        found = _ATTRIBUTE.fullmatch(line)
        if found:
            name, said[found[1]] = found[1], found[2]
        elif name:
            said[name] += " " + line.strip()
    for name, words in said.items():
        if name in properties:
            properties[name] = {"description": _joined(words), **properties[name]}


def _joined(text: str) -> str:
    """A text without the marks of the source, on one line."""
    return " ".join(text.replace("``", "`").split())


def _main() -> None:
    place = importlib.resources.files("confmig.emulator") / "environments" / SCHEMA_FILE
    Path(str(place)).write_text(schema_text(), "utf-8")
    sys.stdout.write(f"{place}\n")


if __name__ == "__main__":
    _main()
