"use strict";
{
  const table = document.querySelector("#all-clips");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const flags = headings.findIndex((heading) => heading.textContent === "flags");
  const number = (text) => (text === "–" ? -Infinity : Number(text));
  const value = (row, column) => row.cells[column].textContent;
  document.documentElement.classList.add("scripted");

  function sortBy(column) {
    const heading = headings[column];
    const isNumber = heading.classList.contains("n");
    const wasAscending = heading.getAttribute("aria-sort") === "ascending";
    const isAscending = heading.hasAttribute("aria-sort") ? !wasAscending : !isNumber; // the worst first
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
    const order = (a, b) => isNumber
      ? number(value(a, column)) - number(value(b, column))
      : value(a, column).localeCompare(value(b, column), "en", { numeric: true });
    rows.sort((a, b) => (isAscending ? order(a, b) : order(b, a)));
    body.append(...rows);
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(column));
    heading.append(button);
  });

  const filter = document.querySelector("#filter");
  const onlyFlagged = document.querySelector("#only-flagged");
  function show() {
    const words = filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word)) || (onlyFlagged.checked && value(row, flags) === "0");
      if (!row.hidden) count += 1;
    }
    document.querySelector("#num-shown").textContent = `${count} of ${rows.length} clips`;
  }
  filter.addEventListener("input", show);
  onlyFlagged.addEventListener("change", show);
  show();
}
