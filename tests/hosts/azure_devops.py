"""A stand-in for Azure DevOps' REST API: environments, their checks, a run's timeline, check suites, approvals.

State: ``project``; ``environments``, each with ``id``, ``name`` and ``checks`` (each with ``approvers``, ``disabled``,
``type``); ``stages`` by build, each with ``name``, ``attempt`` and ``approvals`` (each with ``id``, ``run`` if its
check run has another id, ``resource`` as type and id, ``status``, and ``steps`` of ``status``, ``approver``,
``comment``); ``page``, how many environments a page has.
"""

from dataclasses import replace
from fnmatch import fnmatch
from uuid import NAMESPACE_URL, uuid5

from tests.hosts.standin import Json, StandIn, missing, path_of, query_of, serve
from tests.webapi.serving import Answer, Seen, json_answer

APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"


class AzureDevOps(StandIn):
    """https://learn.microsoft.com/rest/api/azure/devops."""

    def unauthorized(self) -> Answer:
        return Answer(302, b"", {"Location": "https://app.vssps.visualstudio.com/_signin"})

    def answer(self, seen: Seen, state: Json) -> Answer:
        query = query_of(seen)
        match path_of(seen):
            case ["example", project, "_apis", *rest] if project == state["project"] and "api-version" in query:
                match rest:
                    case ["distributedtask", "environments"]:
                        return _environments(query, state)
                    case ["pipelines", "checks", "configurations"]:
                        return _checks(query, state)
                    case ["build", "builds", build, "timeline"] if build in state["stages"]:
                        return json_answer({"records": _timeline(state["stages"][build])})
                    case ["pipelines", "checks", "runs", suite]:
                        return _suite(suite, state)
                    case ["pipelines", "approvals"]:
                        return _approvals(query, state)
        return missing()


def record_id(*names: str) -> str:
    """The id of a timeline's record."""
    return str(uuid5(NAMESPACE_URL, "/".join(names)))


def _environments(query: dict[str, str], state: Json) -> Answer:
    found = [item for item in state["environments"] if fnmatch(item["name"].lower(), query["name"].lower())]
    size = state.get("page", 50)
    start = int(query.get("continuationToken", "0"))
    more = {"x-ms-continuationtoken": str(start + size)} if start + size < len(found) else {}
    shown = [{"id": item["id"], "name": item["name"], "description": ""} for item in found[start : start + size]]
    answer = json_answer({"count": len(shown), "value": shown})
    return replace(answer, headers={**answer.headers, **more})


def _checks(query: dict[str, str], state: Json) -> Answer:
    checks = []
    for environment in state["environments"]:
        if query["resourceType"] == "environment" and query["resourceId"] == str(environment["id"]):
            for number, check in enumerate(environment["checks"], 1):
                shown: Json = {
                    "id": number,
                    "type": {"id": check.get("type", APPROVAL), "name": "Approval"},
                    "isDisabled": check.get("disabled", False),
                }
                if query.get("$expand") == "settings":
                    approvers = [{"displayName": name, "id": record_id(name)} for name in check.get("approvers", ())]
                    shown["settings"] = {"approvers": approvers, "executionOrder": "anyOrder"}
                checks.append(shown)
    return json_answer({"count": len(checks), "value": checks})


def _timeline(stages: list[Json]) -> list[Json]:
    records: list[Json] = []
    for stage in stages:
        own, checkpoint = record_id(stage["name"]), record_id(stage["name"], "Checkpoint")
        records += [
            {
                "id": own,
                "parentId": None,
                "type": "Stage",
                "name": f"The stage {stage['name']}",
                "identifier": stage["name"],
                "attempt": stage.get("attempt", 1),
            },
            {"id": checkpoint, "parentId": own, "type": "Checkpoint", "name": "Checkpoint", "identifier": "Checkpoint"},
        ]
        for approval in stage["approvals"]:
            kind = "Checkpoint.Approval"
            records.append({"id": approval["id"], "parentId": checkpoint, "type": kind, "name": kind})
        records.append({"id": record_id(stage["name"], "Job"), "parentId": own, "type": "Phase", "name": "Job"})
    return records


def _suite(suite: str, state: Json) -> Answer:
    for stages in state["stages"].values():
        for stage in stages:
            if suite == record_id(stage["name"], "Checkpoint"):
                runs = [_run(approval) for approval in stage["approvals"]]
                queue = {"id": 15, "type": {"id": record_id("lock")}, "resource": {"type": "queue", "id": "1"}}
                runs.append({"id": record_id("run"), "status": "approved", "checkConfigurationRef": queue})
                return json_answer({"id": suite, "status": "approved", "checkRuns": runs})
    return missing()


def _run(approval: Json) -> Json:
    kind, id_ = approval["resource"]
    reference = {"id": 19, "type": {"id": APPROVAL, "name": "Approval"}, "resource": {"type": kind, "id": id_}}
    id_ = approval.get("run", approval["id"])
    return {"id": id_, "status": approval["status"], "checkConfigurationRef": reference}


def _approvals(query: dict[str, str], state: Json) -> Answer:
    ids = query["approvalIds"].split(",")
    every = [approval for stages in state["stages"].values() for stage in stages for approval in stage["approvals"]]
    found = [_shown(approval, query.get("$expand") == "steps") for approval in every if approval["id"] in ids]
    return json_answer({"count": len(found), "value": found})


def _shown(approval: Json, steps: bool) -> Json:
    shown: Json = {"id": approval["id"], "status": approval["status"], "executionOrder": "anyOrder", "steps": []}
    for step in approval["steps"] if steps else ():
        person = step.get("approver")
        actual = (
            {"id": record_id(person), "displayName": person, "uniqueName": f"{person.lower()}@example.com"}
            if person
            else None
        )
        shown["steps"].append({"status": step["status"], "actualApprover": actual, "comment": step.get("comment")})
    return shown


if __name__ == "__main__":
    serve(AzureDevOps)
