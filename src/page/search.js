// Hides what does not hold every word of the search box; keeps a chapter while anything in it is left.
(function () {
  "use strict";
  const box = document.getElementById("search");
  const found = document.getElementById("found");
  const entries = Array.from(document.querySelectorAll("[data-entry]")).map((element) => {
    const rows = Array.from(element.querySelectorAll("[data-row]")).map((row) => ({ row: row, text: row.textContent.toLowerCase() }));
    const about = element.querySelector("[data-about]");
    return { element: element, about: (about || element).textContent.toLowerCase(), rows: rows };
  });
  function search() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const entry of entries) {
      const isAbout = words.every((word) => entry.about.includes(word));
      const hits = entry.rows.filter((row) => words.every((word) => (entry.about + " " + row.text).includes(word)));
      const isShown = isAbout || hits.length > 0;
      entry.element.hidden = !isShown;
      shown += isShown ? 1 : 0;
      for (const row of entry.rows) {
        row.row.hidden = !isAbout && !hits.includes(row);
      }
    }
    for (const chapter of document.querySelectorAll("[data-chapter]")) {
      chapter.hidden = !chapter.querySelector("[data-entry]:not([hidden])");
    }
    found.textContent = words.length ? shown + " found" : "";
  }
  box.addEventListener("input", search);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    }
  });
  search();
})();
