#!/usr/bin/env python3
"""Looks at the report and the data dictionary of a project in headless Chromium: wide and narrow, light and dark, without a network.

Nothing may be written to the console, nothing requested, nothing wider than the screen; every chart must be drawn, with marks in it; the search
box must find. Screenshots are left in a folder, for people.

usage: report.py STAMMKUNDE PROJECT [SCREENSHOTS]      (a project with a published version)

Chromium is the one named by STAMMKUNDE_CHROMIUM, or `chromium` (Debian's package), or any other of the usual names.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

binary, project = sys.argv[1], pathlib.Path(sys.argv[2])
shots = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="stammkunde-report-"))
shots.mkdir(parents=True, exist_ok=True)
work = pathlib.Path(tempfile.mkdtemp())
names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
chromium = os.environ.get("STAMMKUNDE_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
assert chromium, "no Chromium: install Debian's package `chromium`, or name one in STAMMKUNDE_CHROMIUM"

# What the demo has to show.
CHARTS_ALWAYS = {"chart-weights", "chart-sizes", "chart-overlap", "chart-events", "chart-churn-rate", "chart-churn-bridge",
                 "chart-customers-closing", "chart-clv-history", "chart-segments", "chart-segment-map", "chart-cohorts", "chart-clv", "chart-lorenz",
                 "chart-transitions", "chart-feedback", "chart-survival", "chart-calibration"}
SIZES, SCHEMES = [(1280, 900), (768, 1024), (390, 844)], ["light", "dark"]
DRAWN = "() => document.documentElement.dataset.charts === 'drawn'"
FIGURES = """() => [...document.querySelectorAll('figure.chart')].map(figure => {
  const svg = figure.querySelector('svg'), box = svg ? svg.getBoundingClientRect() : {width: 0, height: 0};
  const marks = [...figure.querySelectorAll('svg .role-mark path, svg .role-mark rect')].filter(mark => mark.getBBox().width + mark.getBBox().height > 0);
  const labels = [...figure.querySelectorAll('svg .role-mark text')];
  return {id: figure.id, drawn: figure.dataset.drawn, marks: marks.length, width: box.width, height: box.height,
          place: figure.clientWidth, alternative: figure.querySelectorAll('details tbody tr').length,
          label: figure.querySelector('.plot').getAttribute('aria-label'), bad: figure.textContent.match(/NaN|undefined|Infinity/)};
})"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SEARCH = """(words) => {
  const box = document.getElementById('search');
  box.value = words;
  box.dispatchEvent(new Event('input'));
  return [...document.querySelectorAll('[data-entry]')].filter(entry => !entry.hidden).map(entry => entry.id);
}"""


def opened(browser, path, size, scheme):
    """A page that has settled, and what it said and asked for meanwhile."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.set_default_timeout(180_000)
    heard = []
    page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.on("request", lambda request: None if request.url == path.as_uri() or request.url.startswith("data:") else heard.append(request.url))
    page.goto(path.as_uri())
    return context, page, heard


def settled(page, heard, what, name, full_page):
    page.screenshot(path=str(shots / f"{name}.png"), full_page=full_page, timeout=180_000)
    over = page.evaluate(OVERFLOW)
    assert over <= 0, f"{what}: the page is {over} pixels wider than the screen"
    assert not heard, f"{what}: {heard}"


def check_report(browser, path, size, scheme):
    what = f"{path.name} at {size[0]} px, {scheme}"
    context, page, heard = opened(browser, path, size, scheme)
    page.wait_for_function(DRAWN)
    figures = page.evaluate(FIGURES)
    ids = {figure["id"] for figure in figures}
    assert CHARTS_ALWAYS <= ids, f"{what}: without {sorted(CHARTS_ALWAYS - ids)}"
    for figure in figures:
        assert figure["drawn"] == "yes" and figure["marks"] > 0, f"{what}: not drawn: {figure}"
        assert 0.8 * figure["place"] <= figure["width"] <= figure["place"] + 1 and figure["height"] > 40, f"{what}: of a wrong size: {figure}"
        assert figure["alternative"] > 0 and figure["label"], f"{what}: no text alternative: {figure}"
        assert not figure["bad"], f"{what}: {figure}"
    settled(page, heard, what, f"report-{size[0]}-{scheme}", True)
    context.close()
    return len(figures)


def check_dictionary(browser, path, size, scheme):
    what = f"{path.name} at {size[0]} px, {scheme}"
    context, page, heard = opened(browser, path, size, scheme)
    # All of it is taller than a picture may be.
    settled(page, heard, what, f"docs-{size[0]}-{scheme}", False)
    every = page.evaluate(SEARCH, "")
    found = page.evaluate(SEARCH, "match_weight bits")
    assert {"table-links", "table-possible-links"} <= set(found) and len(found) < len(every), f"{what}: the search finds {found}"
    assert page.evaluate(SEARCH, "no such word anywhere") == [], f"{what}: the search finds what is not there"
    context.close()
    return len(every)


subprocess.run([binary, "report", str(project), "--out", str(work / "report.html"), "--quiet"], check=True)
subprocess.run([binary, "docs", str(project), "--out", str(work / "docs.html"), "--quiet"], check=True)
published = project / "warehouse" / "latest" / "report.html"
assert published.read_bytes() == (work / "report.html").read_bytes(), "made again, the report differs from the published one"
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
    for size in SIZES:
        for scheme in SCHEMES:
            charts = check_report(browser, work / "report.html", size, scheme)
            entries = check_dictionary(browser, work / "docs.html", size, scheme)
    browser.close()
kib = published.stat().st_size // 1024
print(f"{charts} charts drawn and {entries} entries listed at {', '.join(str(size[0]) for size in SIZES)} px, light and dark;"
      f" the report has {kib} KiB; screenshots in {shots}")
