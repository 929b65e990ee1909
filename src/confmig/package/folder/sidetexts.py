"""Which texts stand in a file of their own, and with which suffix: those that an editor or a review shows better so.

The rules are cautious and do not depend on chance, so that a text stays where it is while people work on it:

* it has line breaks or is longer than a line, and holds nothing that a text file could not show, nor the marks of a
  merge that was not decided;
* JSON is an object or a list that a parser accepts;
* what a column holds by its name (``customcss``, ``customjavascript``) goes before what it looks like;
* Liquid has ``{% … %}``; XML is well-formed and its root is no tag of HTML; HTML has tags of HTML; Liquid without any
  of them has ``{{ … }}``;
* CSS and JavaScript are told by how they begin and end.

A text that is none of them stays in the row's file, as a block when it has several lines.
"""

import re

from confmig.errors import PackageError
from confmig.package.folder.jsontext import is_json
from confmig.package.folder.yamlread import looks_conflicted
from confmig.package.folder.yamltext import fits_block
from confmig.package.xml import parse_document

_LINE = 120
_HTML_NAMES = (
    "html|head|body|title|meta|link|style|script|div|span|p|br|hr|a|img|b|i|u|em|strong|small|sub|sup|font|center"
    "|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|section|article|header|footer|nav|main|aside|figure|button"
    "|input|label|select|textarea|iframe|video|audio|blockquote|pre|code"
)
_HTML = re.compile(rf"<!doctype html\b|</?(?:{_HTML_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE | re.ASCII)
_XML_ROOT = re.compile(r"\s*(?:<\?xml\s[^<>]*>\s*)?<([A-Za-z_][\w.:-]*)", re.ASCII)
_HTML_ROOT = re.compile(_HTML_NAMES, re.IGNORECASE | re.ASCII)
_LIQUID_TAG = re.compile(r"\{%-?\s*[a-z]\w*\b[^%]*%\}", re.ASCII)
_LIQUID_OUTPUT = re.compile(r"\{\{[^{}]+\}\}")
_CSS_COLUMN = re.compile(r"(?:.*[_.])?(?:custom)?(?:css|stylesheet|styles)")
_JS_COLUMN = re.compile(r"(?:.*[_.])?(?:custom)?(?:javascript|js|script)")
_CSS_BEGINS = re.compile(
    r"\s*(?:/\*|@(?:charset|font-face|import|media)\b|[\w.#:*\[][^{};()=]{0,200}\{\s*(?:/\*|--|[a-z-]+\s*:))",
    re.ASCII,
)
_JS_BEGINS = re.compile(
    r"\s*(?:[\"']use strict[\"']|(?:async\s+)?function\b|[(!;]\s*function\b|(?:var|let|const)\s+[\w$]+\s*[=;]"
    r"|(?:\$|jQuery)\s*\(|(?:document|window|console)\.|import\s+[\w{*]|export\s+\w+|class\s+\w+\s*\{)",
    re.ASCII,
)


def suffix_of(column: str, text: str) -> str | None:
    """The suffix of the file in which a text is to stand, or None when it stays in the row's file."""
    if len(text) <= _LINE and "\n" not in text and "\r" not in text:
        return None
    if not text.strip() or not fits_block(text.replace("\r", "")) or looks_conflicted(text):
        return None
    if is_json(text):
        return ".json"
    if _CSS_COLUMN.fullmatch(column):
        return ".css"
    if _JS_COLUMN.fullmatch(column):
        return ".js"
    return _suffix_by_look(text)


def _suffix_by_look(text: str) -> str | None:
    if _LIQUID_TAG.search(text):
        return ".liquid"
    if _is_xml(text):
        return ".xml"
    if _HTML.search(text):
        return ".html"
    if _LIQUID_OUTPUT.search(text):
        return ".liquid"
    end = text.rstrip()[-1:]
    if _JS_BEGINS.match(text) and end in {";", "}", ")"}:
        return ".js"
    if _CSS_BEGINS.match(text) and end == "}" and text.count("{") == text.count("}"):
        return ".css"
    return None


def _is_xml(text: str) -> bool:
    root = _XML_ROOT.match(text)
    if root is None or _HTML_ROOT.fullmatch(root[1]) or not text.rstrip().endswith(">"):
        return False
    try:
        parse_document(text.encode(), "")
    except (PackageError, ValueError):
        return False
    return True
