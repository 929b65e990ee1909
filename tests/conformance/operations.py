"""What the property test may send, and how hypothesis chooses among it."""

from dataclasses import dataclass

from hypothesis import strategies as st

TOO_LONG = "x" * 60  # no such name fits


@dataclass(frozen=True)
class Operation:
    """One request: what it does, to which bicycle, with which rider, name and frame number."""

    kind: str
    bicycle: int = 0
    rider: int = 0
    name: str = ""
    frame: str | None = None
    items: tuple["Operation", ...] = ()


bicycles, riders, frames = st.integers(0, 2), st.integers(0, 1), st.sampled_from(["A", "B"])
names = st.sampled_from(["one", "two", "one", "two", TOO_LONG])
written = st.builds(
    Operation,
    st.sampled_from(["create", "update", "upsert"]),
    bicycle=bicycles,
    name=names,
    frame=st.none() | frames,
)
creates = st.builds(Operation, st.just("create"), bicycle=bicycles, name=names, frame=st.none() | frames)
singles = st.one_of(
    written,
    st.builds(Operation, st.just("upsert_by_key"), name=names, frame=frames),
    st.builds(Operation, st.just("create_many"), items=st.lists(creates, min_size=1, max_size=3).map(tuple)),
    st.builds(Operation, st.sampled_from(["hold", "associate", "disassociate"]), bicycle=bicycles, rider=riders),
    st.builds(Operation, st.just("delete"), bicycle=bicycles),
    st.builds(Operation, st.just("delete_rider"), rider=riders),
)
change_sets = st.builds(Operation, st.just("change_set"), items=st.lists(singles, min_size=1, max_size=4).map(tuple))
batches = st.builds(
    Operation,
    st.sampled_from(["batch", "batch_to_the_end"]),
    items=st.lists(singles | change_sets, min_size=1, max_size=5).map(tuple),
)
