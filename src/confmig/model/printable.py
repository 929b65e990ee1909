"""Text that steers no terminal and breaks no line: rows and services may hold anything."""


def printable(text: str) -> str:
    """The text on one line, with a blank for every character that is not to be seen."""
    return "".join(character if character.isprintable() else " " for character in text)


def visible(text: str) -> str:
    """The text on one line, with a sign for every character that is not to be seen: ``␍``, ``␉``, ``<U+202E>``."""
    return text if text.isprintable() else "".join(map(_sign, text))


def _sign(character: str) -> str:
    code = ord(character)
    if character.isprintable():
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
