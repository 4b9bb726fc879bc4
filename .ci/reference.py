#!/usr/bin/env python3
"""Checks results on the reference data sets: identity on historical_50k, customers and segments on UCI Online Retail.

usage: reference.py STAMMKUNDE SHARED
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb

binary, shared = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
work = pathlib.Path(tempfile.mkdtemp())
pipelines = pathlib.Path(__file__).resolve().parent.parent / "pipelines"


def run(pipeline, name, data, *options):
    subprocess.run([binary, "run", str(pipelines / pipeline), "--warehouse", str(work / pipeline), "-q", *options],
                   check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, **{name: str(data)}))
    return work / pipeline / "latest"


historical = shared / "data" / "historical_50k.parquet"
latest = run("historical", "HISTORICAL_PARQUET", historical)
scored = subprocess.run([sys.executable, str(shared / "bench" / "score.py"), f"{historical}:unique_id:cluster",
                         f"{latest / 'identities.parquet'}:record_id:customer_key"], check=True, stdout=subprocess.PIPE, text=True)
score = json.loads(scored.stdout)
print("historical_50k:", scored.stdout.strip())
assert score["pairs"]["f1"] >= 0.70, "cluster-pair F1 on historical_50k fell below what the peers reach by default"

latest = run("online_retail", "ONLINE_RETAIL_PARQUET", shared / "data" / "clv" / "uci_online_retail.parquet", "--as-of", "2011-12-10")
table = f"'{latest / 'customer_orders.parquet'}'"
customers, orders, gross = duckdb.sql(f"select count(*), sum(orders_count), sum(gross) from {table} where orders_count > 0").fetchall()[0]
# Refunds of customers whose orders lie before the data count too: they have no order here, and a negative net.
net = duckdb.sql(f"select sum(net_revenue) from {table}").fetchall()[0][0]
found = (customers, int(orders), round(gross, 2), round(net, 2))
assert [str(value) for value in found] == ["4338", "18532", "8911407.90", "8300065.81"], found
expected = {"hibernating": 716, "loyal_customers": 688, "lost": 619, "champions": 604, "potential_loyalists": 484, "about_to_sleep": 478,
            "at_risk": 357, "promising": 169, "need_attention": 121, "new_customers": 67, "cannot_lose_them": 35}
segments = dict(duckdb.sql(f"select segment, count(*) from '{latest / 'customer_segments.parquet'}'"
                           " where segment <> 'prospects' group by 1").fetchall())
assert segments == expected, segments
print("UCI Online Retail: customers, invoices, gross, net and segments as in the reference")
