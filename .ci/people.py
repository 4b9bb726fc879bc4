#!/usr/bin/env python3
"""Checks the generator of the peer comparison, which must make the same people forever, and identity on them.

usage: people.py STAMMKUNDE
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

project = pathlib.Path(__file__).resolve().parent.parent
peers = project / "benches" / "peers"
sys.path.insert(0, str(peers))
import people  # noqa: E402
import score  # noqa: E402

RECORDS, SEED = 20_000, 42
DIGEST = "83c47c95b791e15d8d5b75cd20af98fdbd07f0b00aa8da9d5115328741e9a362"
F1_MIN = 0.93

rows = people.People(SEED).records(RECORDS)
digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
assert digest == DIGEST, f"seed {SEED} makes other people than it did: {digest}"
work = pathlib.Path(tempfile.mkdtemp())
people.write(rows, work / "people.parquet")
subprocess.run([sys.argv[1], "resolve", str(project / "pipelines" / "people"), "--fresh", "-q", "--out", str(work / "keys.parquet")],
               check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PEOPLE_PARQUET": str(work / "people.parquet")})
scored = score.score(score.labels(str(work / "people.parquet"), ["rec_id", "cluster"]),
                     score.labels(str(work / "keys.parquet"), ["record_id", "customer_key"]))
print(f"people, {RECORDS:,} records, seed {SEED}:", json.dumps(scored))
assert scored["pairs"]["f1"] >= F1_MIN, f"cluster-pair F1 fell below {F1_MIN}"
