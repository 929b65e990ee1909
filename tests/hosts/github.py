"""A stand-in for GitHub's REST API: environments, a run's reviews, comments, the token's user.

State: ``repository``; ``environments`` by name, each with its ``reviewers``; ``reviews`` of run by id, as GitHub gives
them, but short: ``state``, ``login``, ``type``, ``environments``, ``comment``; ``comments`` by pull request;
``user``, without which the token is a job's own; ``denied``, the permissions that the token lacks.
"""

import json
from typing import Any

from tests.hosts.standin import Json, StandIn, missing, path_of, query_of, serve
from tests.webapi.serving import Answer, Seen, json_answer

BOT = {"login": "github-actions[bot]", "type": "Bot"}


class GitHub(StandIn):
    """https://docs.github.com/rest."""

    def unauthorized(self) -> Answer:
        return json_answer({"message": "Bad credentials", "status": "401"}, 401)

    def answer(self, seen: Seen, state: Json) -> Answer:
        owner, _, name = state["repository"].partition("/")
        match path_of(seen):
            case ["user"]:
                return json_answer(state["user"]) if "user" in state else _denied()
            case ["repos", of, repository, *rest] if (of, repository) == (owner, name):
                return self._in_repository(seen, rest, state)
        return missing()

    def _in_repository(self, seen: Seen, rest: list[str], state: Json) -> Answer:
        match rest:
            case ["environments" | "actions", *_] if "actions" in state.get("denied", ()):
                return _denied()
            case ["issues", *_] if "pull-requests" in state.get("denied", ()):
                return _denied()
            case ["environments", environment]:
                return _environment(environment, state)
            case ["actions", "runs", run, "approvals"] if run in state["reviews"]:
                return json_answer([_review(review) for review in state["reviews"][run]])
            case ["issues", number, "comments"] if number in state["comments"]:
                return _comments(seen, number, state)
            case ["issues", "comments", comment]:
                return _change(seen, int(comment), state)
        return missing()


def _denied() -> Answer:
    return json_answer({"message": "Resource not accessible by integration", "status": "403"}, 403)


def _environment(name: str, state: Json) -> Answer:
    for known, about in state["environments"].items():
        if known.lower() == name.lower():
            rules: list[Json] = [{"id": 1, "node_id": "GA_1", "type": "branch_policy"}]
            if "reviewers" in about:
                reviewers = [{"type": "User", "reviewer": {"login": login}} for login in about["reviewers"]]
                rules.append({"id": 2, "node_id": "GA_2", "type": "required_reviewers", "reviewers": reviewers})
            return json_answer({"id": 161088068, "name": known, "protection_rules": rules})
    return missing()


def _review(short: Json) -> Json:
    login = short.get("login")
    return {
        "state": short["state"],
        "comment": short.get("comment", ""),
        "user": {"login": login, "id": 1, "type": short.get("type", "User")} if login else None,
        "environments": [{"id": 161088068, "name": name} for name in short["environments"]],
    }


def _comments(seen: Seen, number: str, state: Json) -> Answer:
    comments: list[Json] = state["comments"][number]
    if seen.method == "POST":
        body: str = json.loads(seen.body)["body"]
        if len(body) > 65_536:
            message = "Body is too long (maximum is 65536 characters)"
            return json_answer({"message": "Validation Failed", "errors": [{"message": message}]}, 422)
        comment = {"id": sum(map(len, state["comments"].values())) + 100, "user": state.get("user", BOT), "body": body}
        comments.append(comment)
        return json_answer(_shown(comment, number), 201)
    page, size = int(query_of(seen).get("page", "1")), int(query_of(seen).get("per_page", "30"))
    shown: list[Any] = [_shown(comment, number) for comment in comments[(page - 1) * size : page * size]]
    if page * size >= len(comments):
        return json_answer(shown)
    following = f"http://{seen.headers['host']}{seen.target.partition('?')[0]}?per_page={size}&page={page + 1}"
    return json_answer(shown, Link=f'<{following}>; rel="next"')


def _change(seen: Seen, id_: int, state: Json) -> Answer:
    for number, comments in state["comments"].items():
        for comment in comments:
            if comment["id"] == id_:
                comment["body"] = json.loads(seen.body)["body"]
                return json_answer(_shown(comment, number))
    return missing()


def _shown(comment: Json, number: str) -> Json:
    return {**comment, "html_url": f"https://github.com/example/solution/pull/{number}#issuecomment-{comment['id']}"}


if __name__ == "__main__":
    serve(GitHub)
