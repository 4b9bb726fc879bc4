#!/usr/bin/env python3
"""Runs the demo job from and to an S3 server (moto, from PyPI), compares every table with the local run, and runs the integration tests of
publishing and of the command line with their warehouses on the server.

Not run there: tests that look at a local disk itself (`publish::files`, fsync, links), those of the demo (`Project::demo`: their warehouse is on the
disk wherever they run), those that bring a store or a server of their own (`faults::`), and the loop over every operation of cleanup and rollback,
which takes minutes there.

usage: s3.py STAMMKUNDE DEMO_FOLDER      (the folder that `stammkunde demo` wrote and published; run in the clone, with cargo)
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

binary, demo = sys.argv[1], pathlib.Path(sys.argv[2])
# Modules of the integration tests whose warehouses can be on the server.
TESTS = ["publish::", "cli::codes", "cli::crash", "cli::decisions", "cli::dry_run", "cli::explain", "cli::keys", "cli::plan", "cli::privacy",
         "cli::resolve", "cli::select", "cli::skew", "cli::surface", "cli::versions"]
SKIPPED = ["publish::files", "a_cleanup_or_a_rollback_that_dies_at_any_operation", "a_demo_reports"]
# They take about a minute on two idle cores.
TEST_SECONDS_MAX = 900

endpoint = "http://127.0.0.1:5055"
server = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", "5055"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
environment = dict(os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1", AWS_REGION="us-east-1",
                   AWS_ENDPOINT_URL=endpoint, AWS_ALLOW_HTTP="true")
try:
    for _ in range(100):
        try:
            urllib.request.urlopen(endpoint, timeout=1)
            break
        except OSError:
            time.sleep(0.2)
    s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    s3.create_bucket(Bucket="exports")
    s3.create_bucket(Bucket="warehouse")
    for path in sorted((demo / "exports").rglob("*")):
        if path.is_file():
            s3.upload_file(str(path), "exports", str(path.relative_to(demo)))
    project = pathlib.Path(tempfile.mkdtemp()) / "project"
    shutil.copytree(demo, project, ignore=shutil.ignore_patterns("exports", "warehouse"))
    config = (project / "pipeline.yaml").read_text()
    config = re.sub(r"(?m)^(\s+files:\s*)[\"']?(?:\./)?exports/", r"\1s3://exports/exports/", config)
    config = re.sub(r"(?m)^(\s+files: s3://[^\"'\n]*)[\"']$", r"\1", config)
    (project / "pipeline.yaml").write_text(config)
    local = json.loads(max((demo / "warehouse" / "versions").glob("*.json")).read_text())
    command = [binary, "run", str(project), "--warehouse", "s3://warehouse/stammkunde", "--as-of", local["as_of"], "--format", "json"]
    first = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert first.returncode == 0, f"the run against S3 failed with {first.returncode}: {first.stdout}"
    version = json.loads(s3.get_object(Bucket="warehouse", Key="stammkunde/versions/00000000000000000001.json")["Body"].read())
    # Rows of these tables name the run itself.
    own = {"runs", "key_events"}
    for table, entry in local["tables"].items():
        remote = version["tables"][table]
        assert entry["rows"] == remote["rows"], f"{table}: {entry['rows']} rows here, {remote['rows']} on S3"
        same = [f["sha256"] for f in entry["files"]] == [f["sha256"] for f in remote["files"]]
        assert same or table in own or table == "rejects", f"{table}: the bytes differ between the local and the S3 run"
    second = subprocess.run([*command, "--exit-99-when-unchanged"], env=environment, stdout=subprocess.PIPE, text=True)
    assert second.returncode == 99, f"an unchanged second run must exit 99, not {second.returncode}: {second.stdout}"
    print(f"{len(local['tables'])} tables equal on disk and on S3; an unchanged second run exits 99", flush=True)
    s3.create_bucket(Bucket="tests")
    started = time.monotonic()
    skipped = [argument for name in SKIPPED for argument in ("--skip", name)]
    tests = subprocess.run(["cargo", "test", "--quiet", "--test", "it", "--", *TESTS, *skipped], timeout=TEST_SECONDS_MAX,
                           env=dict(environment, STAMMKUNDE_TEST_WAREHOUSE="s3://tests/warehouses"))
    assert tests.returncode == 0, "a test failed with its warehouse on S3"
    count = s3.get_paginator("list_objects_v2").paginate(Bucket="tests", Prefix="warehouses/", Delimiter="/")
    places = sum(len(page.get("CommonPrefixes", [])) for page in count)
    assert places > 50, f"only {places} tests had a warehouse on the server"
    print(f"the tests of {', '.join(TESTS)} pass with {places} warehouses on S3, in {time.monotonic() - started:.0f} s")
finally:
    server.terminate()
