"use strict";
// A click on a heading sorts its table: numbers by their keys, texts by the page's language, empty cells last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2) continue;
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending" ||
        (!head.hasAttribute("aria-sort") && head.classList.contains("r"));
      const turn = down ? -1 : 1;
      const key = (row) => {
        const cell = row.cells[column];
        const text = cell.textContent.trim();
        return cell.dataset.key !== undefined ? Number(cell.dataset.key) : text === "–" ? "" : text;
      };
      const compare = (a, b) => {
        const [left, right] = [key(a), key(b)];
        if (left === "" || right === "") return (left === "") - (right === "");
        return turn * (typeof left === "number" && typeof right === "number"
          ? left - right : collator.compare(String(left), String(right)));
      };
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...Array.from(body.rows).sort(compare));
    });
  });
}
