
(() => {
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const part = document.getElementById("part");
  const chapter = document.getElementById("chapter");
  const shown = document.getElementById("shown");
  const groups = [...document.querySelectorAll("tbody")];
  const rows = groups.flatMap(group => [...group.querySelectorAll("tr.change")].map(row => ({
    row, group, kind: group.dataset.kind, impact: row.dataset.impact, part: row.dataset.part,
    chapters: row.dataset.chapters.split("\n"), text: page.plain([...row.cells].map(cell => cell.textContent).join(" ")),
  })));
  const kinds = page.boxes(form, "kind");
  const impacts = page.boxes(form, "impact");

  function apply() {
    const words = page.plain(search.value).split(" ").filter(Boolean);
    const wanted = { kind: page.chosen(kinds), impact: page.chosen(impacts), part: part.value, chapter: chapter.value };
    const totals = { kind: new Map(), impact: new Map(), part: new Map(), chapter: new Map() };
    const perGroup = new Map();
    let number = 0;
    for (const item of rows) {
      const found = words.every(word => item.text.includes(word));
      const kind = !wanted.kind.size || wanted.kind.has(item.kind);
      const impact = !wanted.impact.size || wanted.impact.has(item.impact);
      const inPart = !wanted.part || wanted.part === item.part;
      const inChapter = !wanted.chapter || item.chapters.includes(wanted.chapter);
      // each count is what the choice would leave, the other choices being what they are
      if (found && impact && inPart && inChapter) page.add(totals.kind, item.kind);
      if (found && kind && inPart && inChapter) page.add(totals.impact, item.impact);
      if (found && kind && impact && inChapter) page.add(totals.part, item.part);
      if (found && kind && impact && inPart) item.chapters.forEach(code => page.add(totals.chapter, code));
      const visible = found && kind && impact && inPart && inChapter;
      if (item.row.hidden === visible) item.row.hidden = !visible;
      if (visible) { number += 1; page.add(perGroup, item.group); }
    }
    for (const group of groups) {
      const inside = perGroup.get(group) || 0;
      group.hidden = !inside;
      group.querySelector(".number").textContent = page.figures.format(inside);
    }
    page.countBoxes(kinds, totals.kind);
    page.countBoxes(impacts, totals.impact);
    page.countOptions(part, totals.part);
    page.countOptions(chapter, totals.chapter);
    page.tell(shown, number, rows.length);
  }

  page.listen(form, search, apply);
  apply();
})();
