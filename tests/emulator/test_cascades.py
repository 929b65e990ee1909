"""What happens to rows below a row that is deleted or assigned."""

from itertools import pairwise

from .client import Client, error

ANA, GONE = (f"80000000-0000-4000-8000-00000000000{number}" for number in (1, 2))


def leaf(rules: Client, column: str, node: str, **more: object) -> str:
    value = rules.create("rule_values", {})
    return rules.create(
        "rule_leafs",
        {f"{column}@odata.bind": f"rule_nodes({node})", "rule_must@odata.bind": f"rule_values({value})", **more},
    )


def test_delete_cascades_restricts_or_cuts(rules: Client) -> None:
    top = rules.create("rule_nodes", {"rule_name": "Top"})
    below = rules.create("rule_nodes", {"rule_above@odata.bind": f"rule_nodes({top})"})
    kept, gone, held = (leaf(rules, f"rule_{name}", below) for name in ("kept", "gone", "held"))
    before = rules.get(f"rule_leafs({kept})")["versionnumber"]
    reply = rules.send("DELETE", f"rule_nodes({top})")
    assert error(reply) == (405, "0x80040227")
    assert rules.get(f"rule_nodes({top})")["rule_name"] == "Top"
    assert rules.send("DELETE", f"rule_leafs({held})/rule_held/$ref").status_code == 204
    assert rules.send("DELETE", f"rule_nodes({top})").status_code == 204
    for path in (f"rule_nodes({below})", f"rule_leafs({gone})"):
        assert error(rules.send("GET", path)) == (404, "0x80040217")
    row = rules.get(f"rule_leafs({kept})")
    assert row["_rule_kept_value"] is None
    assert row["versionnumber"] > before


def test_a_lookup_that_may_not_be_null_restricts(rules: Client) -> None:
    node = rules.create("rule_nodes", {})
    needed = rules.get(f"rule_leafs({leaf(rules, 'rule_kept', node)})")["_rule_must_value"]
    assert error(rules.send("DELETE", f"rule_values({needed})")) == (405, "0x80040227")


def test_rows_that_point_to_each_other_are_deleted_once(rules: Client) -> None:
    nodes = [rules.create("rule_nodes", {"rule_name": str(number)}) for number in range(3)]
    for one, other in pairwise(nodes):
        bind = {"rule_above@odata.bind": f"rule_nodes({one})", "rule_friend@odata.bind": f"rule_nodes({nodes[0]})"}
        assert rules.send("PATCH", f"rule_nodes({other})", bind).status_code == 204
    assert rules.send("DELETE", f"rule_nodes({nodes[0]})").status_code == 204
    assert [rules.send("GET", f"rule_nodes({node})").status_code for node in nodes] == [404, 404, 404]


def test_only_a_hierarchy_refuses_circles(rules: Client) -> None:
    one, two = (rules.create("rule_nodes", {}) for _ in range(2))
    for start, end in ((one, two), (two, one)):
        body = {"rule_friend@odata.bind": f"rule_nodes({end})"}
        assert rules.send("PATCH", f"rule_nodes({start})", body).status_code == 204
    above = {"rule_above@odata.bind": f"rule_nodes({one})"}
    assert rules.send("PATCH", f"rule_nodes({two})", above).status_code == 204
    closing = {"rule_above@odata.bind": f"rule_nodes({two})"}
    assert error(rules.send("PATCH", f"rule_nodes({one})", closing)) == (400, "0x80040387")
    assert error(rules.send("PATCH", f"rule_nodes({one})", above)) == (400, "0x80040387")


def test_assigning_follows_the_relationship(rules: Client) -> None:
    node = rules.create("rule_nodes", {})
    every, active, same = (leaf(rules, f"rule_{name}", node) for name in ("gone", "held", "kept"))
    inactive = leaf(rules, "rule_held", node, statecode=1, statuscode=2)
    other = leaf(rules, "rule_kept", node, **{"ownerid@odata.bind": f"systemusers({ANA})"})
    me = rules.get("WhoAmI")["UserId"]
    team = rules.create("teams", {"name": "New owners"})
    body = {"ownerid@odata.bind": f"teams({team})"}
    assert rules.send("PATCH", f"rule_nodes({node})", body).status_code == 204
    owners = [rules.get(f"rule_leafs({one})")["_ownerid_value"] for one in (every, active, same, inactive, other)]
    assert owners == [team, team, team, me, ANA]
    assert rules.get(f"rule_leafs({every})")["_owningteam_value"] == team


def test_a_disabled_user_owns_nothing(rules: Client) -> None:
    body = {"ownerid@odata.bind": f"systemusers({GONE})"}
    assert error(rules.send("POST", "rule_nodes", body)) == (400, "0x80040225")


def test_deep_inserts_follow_the_rules_of_each_level(rules: Client) -> None:
    parts = [{"rule_name": "One"}, {"rule_name": "Two"}]
    leaves: list[dict[str, object]] = [{"rule_name": "L", "rule_must": {"rule_name": "V"}, "rule_leaf_part": parts}]
    body = {
        "rule_name": "1",
        "rule_node_rule_node_rule_above": [{"rule_name": "2", "rule_node_rule_leaf_rule_kept": leaves}],
    }
    top = rules.create("rule_nodes", body)
    below = rules.get(f"rule_nodes({top})/rule_node_rule_node_rule_above")["value"][0]
    found = rules.get(f"rule_nodes({below['rule_nodeid']})/rule_node_rule_leaf_rule_kept?$expand=rule_must")["value"]
    assert [(row["rule_name"], row["rule_must"]["rule_name"]) for row in found] == [("L", "V")]
    associated = rules.get(f"rule_leafs({found[0]['rule_leafid']})/rule_leaf_part?$orderby=rule_name")["value"]
    assert [row["rule_name"] for row in associated] == ["One", "Two"]
    count = rules.send("GET", "rule_nodes/$count").text
    leaves[0].pop("rule_must")
    assert error(rules.send("POST", "rule_nodes", body)) == (400, "0x80040200")
    assert rules.send("GET", "rule_nodes/$count").text == count
    assert error(rules.send("PATCH", f"rule_nodes({top})", body)) == (400, "0x80048d19")
