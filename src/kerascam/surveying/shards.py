"""Read the shards of a survey."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .rows import UNREADABLE
from .store import Store

#: How the names of columns begin that hold an array for each image, or its scale.
WIDE = ("map", "relevance")


def names_of(shard: Path) -> list[str]:
    """List the columns."""
    import pyarrow.parquet as parquet

    return list(parquet.read_schema(shard).names)


def good_rows(shards: Sequence[Path], columns: Sequence[str]) -> Any:
    """Read some columns of the images that could be read, shard by shard."""
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    tables = []
    for shard in shards:
        table = parquet.read_table(shard, columns=[*{*columns, "status"}], partitioning=None)
        good = compute.not_equal(table["status"], UNREADABLE)
        tables.append(table.select(columns).filter(good).replace_schema_metadata(None))
    return pyarrow.concat_tables(tables)


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
