"""The folder form of a package, made for git: one folder a table, one YAML file a row, long texts and files beside it.

    package.yml                         what the folder is, and when its rows were exported
    data_schema.xml                     the schema, byte for byte
    .gitattributes                      keeps git from changing line ends
    <table>/<name>-<id>.yml             a row
    <table>/<name>-<id>.<column>.html   a long text, an image or a file of that row
    <table>/associations/<name>.yml     the pairs of a many-to-many relationship
    <table>/table.yml                   what the package says of a table beyond the schema, if anything
    files/<id>.bin                      files that no row refers to, or more than one

docs/folder-form.md describes it for people.
"""

from pathlib import Path

PACKAGE_FILE = "package.yml"
SCHEMA_FILE = "data_schema.xml"
ATTRIBUTES_FILE = ".gitattributes"
TABLE_FILE = "table.yml"
ASSOCIATIONS = "associations"
FILES = "files"
FORMAT = "1"
UNFINISHED = "unfinished"
"""Stands where the format does while a folder is being changed."""


def is_folder_form(path: Path) -> bool:
    """Whether a path is a package in the folder form."""
    return (path / PACKAGE_FILE).is_file()
