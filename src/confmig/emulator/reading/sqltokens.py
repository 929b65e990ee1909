"""The words and signs of a SQL text."""

import re
from dataclasses import dataclass

from confmig.emulator.errors import ServiceError

_TOKEN = re.compile(
    r"(?P<blank>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<string>[Nn]?'(?:[^']|'')*')"
    r"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<word>[^\W\d]\w*)"
    r'|(?P<name>\[[^\]]+\]|"[^"]+")'
    r"|(?P<sign><>|!=|<=|>=|[=<>(),.*;+/%-])",
    re.DOTALL,
)
_LONGEST = 40


@dataclass(frozen=True)
class Token:
    """A word, a name in brackets, a number, a text, a sign, or the end."""

    kind: str
    text: str

    @property
    def upper(self) -> str:
        """A word as keywords are compared; the text of a sign; nothing for names, numbers and texts."""
        return self.text.upper() if self.kind in ("word", "sign") else ""

    @property
    def value(self) -> str:
        """What a name, a text or a number says."""
        if self.kind == "string":
            return self.text[self.text.index("'") + 1 : -1].replace("''", "'")
        return self.text[1:-1] if self.kind == "name" else self.text


END = Token("end", "")


def tokens_of(text: str) -> list[Token]:
    """The tokens of a query; comments count as blanks.

    Raises:
        ServiceError: A character begins no token, such as a quote without its end.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise near(text[position : position + _LONGEST])
        kind = match.lastgroup or ""
        if kind != "blank":
            tokens.append(Token(kind, match.group()))
        position = match.end()
    return tokens


def near(text: str) -> ServiceError:
    """The syntax is wrong; the text is SQL Server's, and that the service gives it with this code is inferred."""
    return ServiceError(400, "0x80060888", f"Incorrect syntax near '{text[:_LONGEST]}'.")


def unsupported(what: str) -> ServiceError:
    """The query is SQL, but not of the subset that the service answers; code and text are inferred."""
    return ServiceError(400, "0x80060888", f"{what} not supported by the sql query option.")
