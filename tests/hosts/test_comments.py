"""The comment at a pull request: one, ours, brought up to date."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from confmig.errors import ServiceError
from confmig.hosts.comments import post_comment
from confmig.model.secrets import SECRETS
from tests.hosts.conftest import TOKEN, Platform
from tests.hosts.github import BOT

PERSON = {"login": "mallory", "type": "User"}
MARK = "<!-- confmig:plan -->"


def bodies(github: Platform) -> list[Any]:
    return [comment["body"] for comment in github.load()["comments"]["5"]]


def put(github: Platform, *comments: tuple[Mapping[str, str] | None, str]) -> None:
    github.state["comments"]["5"] = [
        {"id": number, "user": user, "body": body} for number, (user, body) in enumerate(comments, 1)
    ]
    github.save()


def test_a_first_comment_then_the_same_again(github: Platform) -> None:
    url = post_comment("# One", "plan", github.job())
    assert url == "https://github.com/example/solution/pull/5#issuecomment-100"
    assert bodies(github) == [f"{MARK}\n# One"]
    assert post_comment("# Two\nÄ", "plan", github.job()) == url
    assert bodies(github) == [f"{MARK}\n# Two\nÄ"]
    assert [seen.method for seen in github.server.seen] == ["GET", "POST", "GET", "GET", "PATCH"]


def test_other_keys_have_other_comments(github: Platform) -> None:
    post_comment("one", "plan", github.job())
    post_comment("two", "plan-2", github.job())
    assert bodies(github) == [f"{MARK}\none", "<!-- confmig:plan-2 -->\ntwo"]


def test_a_key_does_not_end_the_mark(github: Platform) -> None:
    post_comment("text", "a --> <b>", github.job())
    assert bodies(github) == ["<!-- confmig:a -%2D%3E %3Cb%3E -->\ntext"]


def test_ours_is_found_on_a_later_page(github: Platform) -> None:
    put(github, *[(PERSON, "Nice.")] * 250, (BOT, f"{MARK}\nold"))
    post_comment("new", "plan", github.job())
    assert bodies(github)[250:] == [f"{MARK}\nnew"]


@pytest.mark.parametrize("user", [PERSON, None])
def test_somebody_elses_mark_is_not_ours(github: Platform, user: Mapping[str, str] | None) -> None:
    put(github, (user, f"{MARK}\nmine"), (BOT, f"See {MARK}"))
    post_comment("text", "plan", github.job())
    assert bodies(github) == [f"{MARK}\nmine", f"See {MARK}", f"{MARK}\ntext"]


def test_a_persons_token_knows_its_own_comments(github: Platform) -> None:
    github.state["user"] = {"login": "Deployer", "type": "User"}
    put(github, (BOT, f"{MARK}\nbot"), (PERSON, f"{MARK}\nother"), ({"login": "deployer"}, f"{MARK}\nown"))
    post_comment("new", "plan", github.job())
    assert bodies(github) == [f"{MARK}\nbot", f"{MARK}\nother", f"{MARK}\nnew"]


@pytest.mark.parametrize("line", ["x" * 99 + "\n", "😀" * 99 + "\n", "x" * 70_000])
def test_what_is_too_long_is_cut_at_a_line(github: Platform, line: str) -> None:
    post_comment(line * (70_000 // len(line) + 1), "plan", github.job())
    (body,) = bodies(github)
    assert len(body) <= 65_536
    assert body.endswith("\n\n… cut here: the job's summary and the report have all.\n")
    kept = body.removesuffix("\n\n… cut here: the job's summary and the report have all.\n").split("\n")[1:]
    assert len(line) > 70_000 - 1 or {part + "\n" for part in kept} == {line}


def test_what_just_fits_is_whole(github: Platform) -> None:
    text = "x" * (65_536 - len(MARK) - 1)
    post_comment(text, "plan", github.job())
    assert bodies(github) == [f"{MARK}\n{text}"]


def test_half_characters_and_secrets_do_not_reach_a_comment(github: Platform) -> None:
    SECRETS.learn({"AZURE_CLIENT_SECRET": "s3cret-value"})
    try:
        post_comment("\ud800 s3cret-value", "plan", github.job())
    finally:
        SECRETS.learn({})
    assert bodies(github) == [f"{MARK}\n? ***"]


@pytest.mark.parametrize("event", [{}, {"issue": {"number": 5}}, {"pull_request": None}])
def test_no_pull_request_no_comment(github: Platform, tmp_path: Path, event: object) -> None:
    (tmp_path / "event.json").write_text(json.dumps(event))
    assert post_comment("text", "plan", github.job()) is None
    assert post_comment("text", "plan", github.job(GITHUB_EVENT_PATH=None)) is None
    assert post_comment("text", "plan", {}) is None
    assert not github.server.seen


@pytest.mark.parametrize("event", ["", "{", '{"pull_request":{"number":"../7"}}', "[]"])
def test_an_event_that_cannot_be_read(github: Platform, tmp_path: Path, event: str) -> None:
    (tmp_path / "event.json").write_text(event)
    with pytest.raises(ServiceError, match="event"):
        post_comment("text", "plan", github.job())


def test_an_event_that_is_missing(github: Platform, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="event"):
        post_comment("text", "plan", github.job(GITHUB_EVENT_PATH=str(tmp_path / "none.json")))


def test_without_permission_the_hint_names_it(github: Platform) -> None:
    github.state["denied"] = ["pull-requests"]
    github.save()
    with pytest.raises(ServiceError, match=r"pull request 5 could not be written: .*not accessible") as caught:
        post_comment("text", "plan", github.job())
    assert "pull-requests: write" in caught.value.hint
    assert TOKEN not in caught.value.message


def test_without_a_token_the_hint_names_it(github: Platform) -> None:
    with pytest.raises(ServiceError, match="GITHUB_TOKEN is not set") as caught:
        post_comment("text", "plan", github.job(GITHUB_TOKEN=None))
    assert "github.token" in caught.value.hint


@pytest.mark.parametrize("answer", [{"status": 401}, {"body": "<html>"}, {"status": 301}])
def test_an_answer_about_ourselves_that_is_none_changes_nothing(github: Platform, answer: dict[str, Any]) -> None:
    put(github, (BOT, f"{MARK}\nold"))
    github.answers("/user", **answer)
    with pytest.raises(ServiceError):
        post_comment("new", "plan", github.job())
    assert bodies(github) == [f"{MARK}\nold"]
