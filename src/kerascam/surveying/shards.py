"""Read the shards of a survey."""

from pathlib import Path
from typing import Any

from .rows import UNREADABLE
from .store import Store


def good_rows(shard: Path) -> Any:
    """Read the rows of the images that could be read."""
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    table = parquet.read_table(shard, partitioning=None)
    return table.filter(compute.not_equal(table["status"], UNREADABLE)).replace_schema_metadata(
        None
    )


def failures_of(store: Store) -> list[tuple[str, str]]:
    """List the files that could not be read, each with the reason."""
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    found: list[tuple[str, str]] = []
    for shard in store.shards():
        table = parquet.read_table(shard, columns=["key", "error", "status"], partitioning=None)
        bad = table.filter(compute.equal(table["status"], UNREADABLE))
        found += zip(bad["key"].to_pylist(), bad["error"].to_pylist(), strict=True)
    return found


def counts_of(store: Store) -> dict[str, int]:
    """Count the images of all shards, and those that could not be read."""
    import pyarrow.parquet as parquet

    images = sum(parquet.read_metadata(shard).num_rows for shard in store.shards())
    unreadable = len(failures_of(store))
    return {
        "images": images,
        "explained": images - unreadable,
        "unreadable": unreadable,
        "shards": len(store.shards()),
    }
