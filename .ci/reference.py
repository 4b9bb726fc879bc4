#!/usr/bin/env python3
"""Checks results on the reference data sets: identity on historical_50k, fake_1000 and FEBRL, customers and segments on UCI Online Retail,
purchase and spend models on CDNOW and apparel.

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
project = pathlib.Path(__file__).resolve().parent.parent
pipelines, peers = project / "pipelines", project / "benches" / "peers"


def run(pipeline, name, data, warehouse=None, options=()):
    warehouse = work / (warehouse or pipeline)
    subprocess.run([binary, "run", str(pipelines / pipeline), "--warehouse", str(warehouse), "-q", *options],
                   check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, **{name: str(data)}))
    return warehouse / "latest"


def pair_f1(name, latest, truth, columns, least):
    """The referee's cluster-pair F1 of a run, which must reach `least`: a little below what the defaults reached when this was written."""
    scored = subprocess.run([sys.executable, str(peers / "score.py"), f"{truth}:{columns}", str(latest / "identities.parquet")],
                            check=True, stdout=subprocess.PIPE, text=True)
    print(f"{name}:", scored.stdout.strip())
    f1 = json.loads(scored.stdout)["pairs"]["f1"]
    assert f1 >= least, f"cluster-pair F1 on {name} fell to {f1}, below {least}"


historical = shared / "data" / "historical_50k.parquet"
pair_f1("historical_50k", run("historical", "HISTORICAL_PARQUET", historical), historical, "unique_id:cluster", 0.915)
fake = shared / "data" / "fake_1000.csv"
pair_f1("fake_1000", run("fake_1000", "FAKE_1000_CSV", fake), fake, "unique_id:cluster", 0.93)
for number in "34":
    folder = work / f"febrl{number}_data"
    subprocess.run([sys.executable, str(peers / "febrl.py"), number, str(folder)], check=True, stdout=subprocess.DEVNULL)
    latest = run("febrl", "FEBRL_FOLDER", folder, f"febrl{number}")
    pair_f1(f"febrl{number}", latest, folder / "truth.parquet", "rec_id:cluster", 0.998)

latest = run("online_retail", "ONLINE_RETAIL_PARQUET", shared / "data" / "clv" / "uci_online_retail.parquet",
             options=("--as-of", "2011-12-10"))
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

# The customer models on plain transaction logs, from the file to the published tables, against values that others computed.
golden = shared / "data" / "clv" / "golden"
for name, log, days, as_of in (("cdnow_sample", "cdnow_sample.csv", 273, "1997-09-30"), ("apparel", "apparel_trans.csv", 1450, "2006-12-31")):
    os.environ["HORIZON_DAYS"] = str(days)
    latest = run("transactions", "TRANSACTIONS_CSV", shared / "data" / "clv" / log, name, options=("--as-of", as_of))
    expected = json.loads((golden / f"{name}.json").read_text())["models"]
    titles = {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma"}
    scorecard = duckdb.sql(f"select model_name, log_likelihood, params, standard_errors from '{latest / 'model_scorecard.parquet'}'").fetchall()
    for model, likelihood, params, errors in scorecard:
        if model in titles:
            wanted = expected[titles[model]]
            assert abs(likelihood - wanted["loglik"]) < 1e-4, (name, model, likelihood)
            for found, field, tolerance in ((json.loads(params), "params", 1e-3), (json.loads(errors), "se", 1e-2)):
                for parameter, value in wanted[field].items():
                    assert abs(found[parameter] / value - 1) < tolerance, (name, model, parameter, found[parameter])
    for model, suffix in (("bg_nbd", "bg"), ("mbg_nbd", "mbg"), ("pareto_nbd", "p")):
        worst = duckdb.sql(
            f"select count(*), max(abs(p_alive - palive_{suffix})), max(abs(expected_purchases / cet_{suffix} - 1)), max(abs(expected_spend / egg - 1))"
            f" from '{latest / 'customer_forecasts.parquet'}' as f join '{golden / f'{name}_scored.parquet'}' as g on g.cust = cast(f.cust as bigint)"
            f" where model_name = '{model}'").fetchall()[0]
        assert worst[0] == len(duckdb.sql(f"select 1 from '{golden / f'{name}_scored.parquet'}'").fetchall()), worst
        assert max(worst[1:]) < 1e-5, (name, model, worst)
    print(f"{name}: parameters, standard errors, log-likelihoods and every customer's forecasts as in the reference")
