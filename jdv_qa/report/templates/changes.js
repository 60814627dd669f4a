
"use strict";
(() => {
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const part = document.getElementById("part");
  const chapter = document.getElementById("chapter");
  const shown = document.getElementById("shown");
  const figures = new Intl.NumberFormat(document.documentElement.lang);
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ");
  const groups = [...document.querySelectorAll("tbody")];
  const rows = groups.flatMap(group => [...group.querySelectorAll("tr.change")].map(row => ({
    row, group, kind: group.dataset.kind, impact: row.dataset.impact, part: row.dataset.part,
    chapters: row.dataset.chapters.split("\n"), text: plain([...row.cells].map(cell => cell.textContent).join(" ")),
  })));
  const boxes = name => [...form.querySelectorAll(`input[name=${name}]`)];
  const kinds = boxes("kind");
  const impacts = boxes("impact");
  const chosen = list => new Set(list.filter(box => box.checked).map(box => box.value));

  function apply() {
    const words = plain(search.value).split(" ").filter(Boolean);
    const wanted = { kind: chosen(kinds), impact: chosen(impacts), part: part.value, chapter: chapter.value };
    const totals = { kind: new Map(), impact: new Map(), part: new Map(), chapter: new Map() };
    const add = (map, key) => map.set(key, (map.get(key) || 0) + 1);
    const perGroup = new Map();
    let number = 0;
    for (const item of rows) {
      const found = words.every(word => item.text.includes(word));
      const kind = !wanted.kind.size || wanted.kind.has(item.kind);
      const impact = !wanted.impact.size || wanted.impact.has(item.impact);
      const inPart = !wanted.part || wanted.part === item.part;
      const inChapter = !wanted.chapter || item.chapters.includes(wanted.chapter);
      // each count is what the choice would leave, the other choices being what they are
      if (found && impact && inPart && inChapter) add(totals.kind, item.kind);
      if (found && kind && inPart && inChapter) add(totals.impact, item.impact);
      if (found && kind && impact && inChapter) add(totals.part, item.part);
      if (found && kind && impact && inPart) item.chapters.forEach(code => add(totals.chapter, code));
      const visible = found && kind && impact && inPart && inChapter;
      if (item.row.hidden === visible) item.row.hidden = !visible;
      if (visible) { number += 1; add(perGroup, item.group); }
    }
    for (const group of groups) {
      const inside = perGroup.get(group) || 0;
      group.hidden = !inside;
      group.querySelector(".number").textContent = figures.format(inside);
    }
    for (const box of kinds) box.parentElement.querySelector("output").textContent = figures.format(totals.kind.get(box.value) || 0);
    for (const box of impacts) box.parentElement.querySelector("output").textContent = figures.format(totals.impact.get(box.value) || 0);
    for (const [list, map] of [[part, totals.part], [chapter, totals.chapter]]) {
      for (const option of list.options) {
        if (option.value) option.textContent = `${option.dataset.name} (${figures.format(map.get(option.value) || 0)})`;
      }
    }
    const sentence = number === rows.length ? shown.dataset.all : number ? shown.dataset.some : shown.dataset.none;
    shown.textContent = sentence.replace("{shown}", figures.format(number)).replace("{all}", figures.format(rows.length));
  }

  form.addEventListener("input", apply);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && event.target !== search) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      apply();
    }
  });
  form.hidden = false;
  apply();
})();
