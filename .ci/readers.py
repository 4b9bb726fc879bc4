#!/usr/bin/env python3
"""Opens every published table in DuckDB, pyarrow, polars and pandas; counts, sums and types must agree.

usage: readers.py WAREHOUSE
"""
import json
import pathlib
import sys

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet

warehouse = pathlib.Path(sys.argv[1])
manifest = json.loads(max((warehouse / "versions").glob("*.json")).read_text())
plain = {"string", "int64", "int32", "double", "bool", "date32[day]", "timestamp[us, tz=UTC]"}
failures = []


def check(table, what, values):
    if len({round(float(v), 4) if v is not None else None for v in values.values()}) != 1:
        failures.append(f"{table}: {what} differs: {values}")


for table, entry in sorted(manifest["tables"].items()):
    path = warehouse / "latest" / f"{table}.parquet"
    arrow = pyarrow.parquet.read_table(path)
    frame, lazy, sql = pandas.read_parquet(path), polars.read_parquet(path), duckdb.sql(f"select * from '{path}'")
    rows = {"manifest": entry["rows"], "pyarrow": arrow.num_rows, "pandas": len(frame), "polars": lazy.height,
            "duckdb": duckdb.sql(f"select count(*) from '{path}'").fetchall()[0][0]}
    check(table, "row count", rows)
    for field in arrow.schema:
        if str(field.type) not in plain and not pyarrow.types.is_decimal(field.type):
            failures.append(f"{table}.{field.name}: surprising type {field.type}")
        numeric = pyarrow.types.is_integer(field.type) or pyarrow.types.is_decimal(field.type) or pyarrow.types.is_floating(field.type)
        if numeric and arrow.num_rows:
            column = field.name
            check(f"{table}.{column}", "sum", {
                "pyarrow": pyarrow.compute.sum(arrow[column].cast("double") if pyarrow.types.is_decimal(field.type) else arrow[column]).as_py() or 0,
                "pandas": pandas.to_numeric(frame[column]).sum() if not pyarrow.types.is_decimal(field.type) else float(sum(v for v in frame[column] if v is not None)),
                "polars": float(lazy[column].sum() or 0),
                "duckdb": duckdb.sql(f'select coalesce(sum("{column}"), 0) from \'{path}\'').fetchall()[0][0],
            })
    print(f"{table:24} {arrow.num_rows:>10,} rows, {len(arrow.schema)} columns")
if failures:
    sys.exit("\n".join(["readers disagree:", *failures]))
print(f"{len(manifest['tables'])} tables read alike by four readers")
