"""Text that steers no terminal and breaks no line: rows and services may hold anything."""


def printable(text: str) -> str:
    """The text on one line, with a blank for every character that is not to be seen."""
    return "".join(character if character.isprintable() else " " for character in text)
