
(() => {
  // the page of a rule opens when it is asked for
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.tagName === "DETAILS") {
      target.open = true;
      target.querySelector("summary").focus();
    }
    target.scrollIntoView();
  };
  const form = document.getElementById("filters");
  if (!form) {
    addEventListener("hashchange", reveal);
    reveal();
    return;
  }
  const search = document.getElementById("search");
  const family = document.getElementById("family");
  const chapter = document.getElementById("chapter");
  const shown = document.getElementById("shown");
  const holder = document.getElementById("groups");
  const severities = page.boxes(form, "severity");
  const states = page.boxes(form, "state");
  const byRule = [...holder.children];
  const items = byRule.flatMap(group => [...group.querySelectorAll("li")].map(row => ({
    row, rule: group, order: null, place: Number(row.id.slice(1)), severity: row.dataset.severity, state: row.dataset.state,
    family: row.dataset.rule.slice(0, 3), chapters: row.dataset.chapters.split("\n"), text: page.plain(row.textContent), visible: true,
  })));
  let byOrder = null;
  let grouping = "rule";

  // one section an order, in the order of the workbook; made when it is first asked for
  function makeOrders() {
    const groups = new Map();
    for (const item of [...items].sort((one, other) => one.place - other.place)) {
      const key = item.row.dataset.order;
      let group = groups.get(key);
      if (!group) {
        group = document.createElement("section");
        group.className = "group";
        const title = document.createElement("h3");
        title.append(item.row.querySelector(".order").textContent + " ");
        const number = document.createElement("span");
        number.className = "number";
        title.append(number);
        group.append(title, document.createElement("ol"));
        groups.set(key, group);
      }
      item.order = group;
    }
    return [...groups.values()];
  }

  function regroup(wanted) {
    if (wanted === grouping) return;
    if (wanted === "order" && !byOrder) byOrder = makeOrders();
    grouping = wanted;
    holder.dataset.grouping = wanted;
    const sorted = wanted === "order" ? [...items].sort((one, other) => one.place - other.place) : items;
    const rows = new Map();
    for (const item of sorted) {
      const group = item[wanted];
      if (!rows.has(group)) rows.set(group, []);
      rows.get(group).push(item.row);
    }
    for (const [group, inside] of rows) group.querySelector("ol").replaceChildren(...inside);
    holder.replaceChildren(...(wanted === "order" ? byOrder : byRule));
  }

  function apply() {
    regroup(form.querySelector("input[name=grouping]:checked").value);
    const words = page.plain(search.value).split(" ").filter(Boolean);
    const wanted = { severity: page.chosen(severities), state: page.chosen(states), family: family.value, chapter: chapter.value };
    const totals = { severity: new Map(), state: new Map(), family: new Map(), chapter: new Map() };
    const perGroup = new Map();
    let number = 0;
    for (const item of items) {
      const found = words.every(word => item.text.includes(word));
      const severity = !wanted.severity.size || wanted.severity.has(item.severity);
      const state = !wanted.state.size || wanted.state.has(item.state);
      const inFamily = !wanted.family || wanted.family === item.family;
      const inChapter = !wanted.chapter || item.chapters.includes(wanted.chapter);
      // each count is what the choice would leave, the other choices being what they are
      if (found && state && inFamily && inChapter) page.add(totals.severity, item.severity);
      if (found && severity && inFamily && inChapter) page.add(totals.state, item.state);
      if (found && severity && state && inChapter) page.add(totals.family, item.family);
      if (found && severity && state && inFamily) item.chapters.forEach(code => page.add(totals.chapter, code));
      const visible = found && severity && state && inFamily && inChapter;
      if (item.visible !== visible) item.row.hidden = !visible;
      item.visible = visible;
      if (visible) { number += 1; page.add(perGroup, item[grouping]); }
    }
    for (const group of grouping === "order" ? byOrder : byRule) {
      const inside = perGroup.get(group) || 0;
      if (group.hidden !== !inside) group.hidden = !inside;
      group.querySelector(".number").textContent = page.figures.format(inside);
    }
    page.countBoxes(severities, totals.severity);
    page.countBoxes(states, totals.state);
    page.countOptions(family, totals.family);
    page.countOptions(chapter, totals.chapter);
    page.tell(shown, number, items.length);
  }

  // a link to the findings of a rule must lead somewhere whatever is filtered and however it is grouped
  function follow() {
    if (location.hash.startsWith("#group-")) {
      const group = byRule.find(one => `#${one.id}` === location.hash);
      if (group && (group.hidden || grouping !== "rule")) {
        form.reset();
        apply();
      }
    }
    reveal();
  }

  addEventListener("hashchange", follow);
  page.listen(form, search, apply);
  apply();
  follow();
})();
