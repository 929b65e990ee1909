"""The context of an answer: which columns and related rows it holds, as ``@odata.context`` says it.

``$metadata#accounts(name,primarycontactid(fullname))``; a reference is ``primarycontactid,primarycontactid/$ref()``.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/join-tables
"""

from collections.abc import Mapping

from confmig.emulator.wire.urls import split_outside


def context_of(entity_set: str, options: Mapping[str, str]) -> str:
    """What follows ``$metadata#`` for rows of a set.

    Args:
        entity_set: The set.
        options: The query options, of which ``$select`` and ``$expand`` count; they are known to be sound.
    """
    shown = ",".join(_properties(options))
    return f"{entity_set}({shown})" if shown else entity_set


def _properties(options: Mapping[str, str]) -> list[str]:
    names = [name.strip() for name in options.get("$select", "").split(",") if name.strip()]
    for part in split_outside(options.get("$expand", ""), ","):
        nav, _, inside = part.strip().partition("(")
        nav = nav.rstrip()
        if nav.endswith("/$ref"):
            names += [nav.removesuffix("/$ref"), f"{nav}()"]
        elif nav:
            inner = (option.partition("=") for option in split_outside(inside.rpartition(")")[0], ";"))
            names.append(f"{nav}({','.join(_properties({name.strip(): value for name, _, value in inner}))})")
    return names
