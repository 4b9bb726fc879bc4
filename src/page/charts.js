// Draws every figure of the page with Vega-Lite, in the colors of the style sheet, and again when the scheme of the reader changes.
// Expressions are interpreted (`ast`), so that the page needs no right to make code from text.
(function () {
  "use strict";
  const root = document.documentElement;
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function config() {
    const ink = color("--ink"), soft = color("--soft"), line = color("--line"), accent = color("--accent");
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: null,
      font: font,
      view: { stroke: null },
      mark: { color: accent },
      bar: { color: accent },
      line: { color: accent, strokeWidth: 2 },
      area: { color: accent },
      point: { color: accent, filled: true },
      rule: { color: soft },
      text: { color: ink, fontSize: 11 },
      axis: {
        labelColor: soft, titleColor: soft, titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 11, gridColor: line,
        domainColor: line, tickColor: line, labelLimit: 150, labelOverlap: true, gridOpacity: 0.7
      },
      axisX: { grid: false, titlePadding: 8 },
      axisY: { domain: false, ticks: false },
      legend: { labelColor: soft, titleColor: soft, titleFontWeight: "normal", labelFontSize: 11, titleFontSize: 11, orient: "top", symbolStrokeWidth: 2 },
      header: { labelColor: soft, titleColor: soft },
      range: {
        category: [accent, color("--second"), color("--third"), color("--fourth"), soft, color("--ink")],
        ramp: [color("--heat0"), color("--heat1"), color("--heat2")],
        heatmap: [color("--heat0"), color("--heat1"), color("--heat2")]
      }
    };
  }

  function draw(figure) {
    const plot = figure.querySelector(".plot");
    const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    // A height by rows: Vega-Lite has one too, and warns of it in the console.
    if (spec.height.step) {
      spec.height = spec.height.step * new Set(spec.data.values.map((row) => row[spec.encoding.y.field])).size;
    }
    spec.params = [
      { name: "ink", value: color("--ink") }, { name: "soft", value: color("--soft") }, { name: "accent", value: color("--accent") },
      { name: "second", value: color("--second") }, { name: "paper", value: color("--paper") }, { name: "line", value: color("--line") },
      { name: "narrow", value: plot.clientWidth < 480 }
    ].concat(spec.params || []);
    return vegaEmbed(plot, spec, { ast: true, renderer: "svg", actions: false, config: config(), mode: "vega-lite" })
      .then(() => figure.setAttribute("data-drawn", "yes"))
      .catch((error) => {
        figure.setAttribute("data-drawn", "no");
        console.error("chart " + figure.id + ": " + error);
      });
  }

  const figures = Array.from(document.querySelectorAll("figure.chart"));
  const all = () => Promise.all(figures.map(draw)).then(() => root.setAttribute("data-charts", "drawn"));
  all();
  scheme.addEventListener("change", all);
})();
