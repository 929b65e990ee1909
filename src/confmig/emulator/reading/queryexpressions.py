"""QueryExpression, the query of the SDK as JSON, written as the FetchXML that it means.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/queryexpression
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/conditionoperator
"""

import re

from lxml import etree

from confmig.emulator.errors import bad_request
from confmig.emulator.reading.fetchelements import Element
from confmig.emulator.writing.payload import Body

_DEEPEST = 50
_WORD = re.compile("(?<=[a-zX])(?=[A-Z])")
_OPERATORS = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "DoesNotBeginWith": "not-begin-with",
    "DoesNotEndWith": "not-end-with",
    "DoesNotContainValues": "not-contain-values",
    "EqualUserId": "eq-userid",
    "NotEqualUserId": "ne-userid",
    "EqualBusinessId": "eq-businessid",
    "NotEqualBusinessId": "ne-businessid",
    "EqualUserTeams": "eq-userteams",
    "EqualUserOrUserTeams": "eq-useroruserteams",
    "EqualUserOrUserHierarchy": "eq-useroruserhierarchy",
    "EqualUserOrUserHierarchyAndTeams": "eq-useroruserhierarchyandteams",
    "EqualUserLanguage": "eq-userlanguage",
    "AboveOrEqual": "eq-or-above",
    "UnderOrEqual": "eq-or-under",
    "Last7Days": "last-seven-days",
    "Next7Days": "next-seven-days",
}
"""Operators whose name in FetchXML is another one; of the rest the words are written with dashes."""
_LISTS = frozenset({"in", "not-in", "between", "not-between", "contain-values", "not-contain-values"})
_JOINS = {
    "Inner": "inner",
    "LeftOuter": "outer",
    "Natural": "natural",
    "MatchFirstRowUsingCrossApply": "matchfirstrowusingcrossapply",
    "In": "in",
    "Exists": "exists",
    "Any": "any",
    "NotAny": "not any",
    "All": "all",
    "NotAll": "not all",
}


def entity_element(query: Body) -> Element:
    """The ``<entity>`` of a query: its criteria and links.

    Raises:
        ServiceError: A part of the query cannot be understood.
    """
    try:
        element = etree.Element("entity", name=str(query.get("EntityName")))
        _add_criteria(element, query, "Criteria")
        _add_links(element, query, 0)
    except ValueError as error:  # a character that XML cannot hold
        raise bad_request(f"The query cannot be read: {error}") from error
    return element


def _add_criteria(element: Element, body: Body, name: str) -> None:
    criteria = body.get(name)
    if criteria is None:
        return
    if not isinstance(criteria, dict):
        raise bad_request(f"The {name} of a query are no object.")
    element.append(_filter(criteria, 0))


def _add_links(element: Element, body: Body, depth: int) -> None:
    if depth > _DEEPEST:
        raise bad_request("The links of a query are nested too deeply.")
    for link in objects(body, "LinkEntities"):
        join = str(link.get("JoinOperator") or "Inner")
        if join not in _JOINS:
            raise bad_request(f"The join operator '{join}' is not supported.")
        child = etree.SubElement(element, "link-entity", name=str(link.get("LinkToEntityName")))
        child.set("from", str(link.get("LinkToAttributeName")))
        child.set("to", str(link.get("LinkFromAttributeName")))
        child.set("link-type", _JOINS[join])
        if link.get("EntityAlias"):
            child.set("alias", str(link.get("EntityAlias")))
        _add_criteria(child, link, "LinkCriteria")
        _add_links(child, link, depth + 1)


def _filter(criteria: Body, depth: int) -> Element:
    """A FilterExpression as the ``<filter>`` of FetchXML."""
    if depth > _DEEPEST:
        raise bad_request("The filters of a query are nested too deeply.")
    element = etree.Element("filter", type=str(criteria.get("FilterOperator") or "And").lower())
    for condition in objects(criteria, "Conditions"):
        _add_condition(element, condition)
    for inner in objects(criteria, "Filters"):
        element.append(_filter(inner, depth + 1))
    return element


def _add_condition(element: Element, condition: Body) -> None:
    name = str(condition.get("Operator"))
    operator = _OPERATORS.get(name) or _WORD.sub("-", name).lower().replace("older-than", "olderthan")
    child = etree.SubElement(element, "condition", attribute=str(condition.get("AttributeName")), operator=operator)
    if condition.get("EntityName"):
        child.set("entityname", str(condition.get("EntityName")))
    values = [_text(value) for value in _list(condition, "Values")]
    if operator in _LISTS or len(values) > 1:
        for value in values:
            etree.SubElement(child, "value").text = value
    elif values:
        child.set("value", values[0])


def _text(value: object) -> str:
    """A value of a condition, which an object with its type is around."""
    inner = value.get("Value") if isinstance(value, dict) else value
    if isinstance(inner, bool):
        return str(inner).lower()
    if not isinstance(inner, str | int | float):
        raise bad_request("A value of a condition is neither a text nor a number.")
    return str(inner)


def _list(body: Body, name: str) -> list[object]:
    members = body.get(name) or []
    if not isinstance(members, list):
        raise bad_request(f"'{name}' is no list.")
    return members


def objects(body: Body, name: str) -> list[Body]:
    """The objects of a list; of none when it is not given.

    Raises:
        ServiceError: It is no list of objects.
    """
    members = _list(body, name)
    if not all(isinstance(member, dict) for member in members):
        raise bad_request(f"'{name}' is not a list of objects.")
    return [member for member in members if isinstance(member, dict)]
