
"use strict";
const page = {
  figures: new Intl.NumberFormat(document.documentElement.lang),
  plain: text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " "),
  add: (map, key) => map.set(key, (map.get(key) || 0) + 1),
  boxes: (form, name) => [...form.querySelectorAll(`input[name=${name}]`)],
  chosen: list => new Set(list.filter(box => box.checked).map(box => box.value)),
  countBoxes: (list, map) => {
    for (const box of list) box.parentElement.querySelector("output").textContent = page.figures.format(map.get(box.value) || 0);
  },
  countOptions: (list, map) => {
    for (const option of list.options) {
      if (option.value) option.textContent = `${option.dataset.name} (${page.figures.format(map.get(option.value) || 0)})`;
    }
  },
  tell: (shown, number, all) => {
    const sentence = number === all ? shown.dataset.all : number ? shown.dataset.some : shown.dataset.none;
    shown.textContent = sentence.replace("{shown}", page.figures.format(number)).replace("{all}", page.figures.format(all));
  },
  // "/" goes to the search field, Escape empties it
  listen: (form, search, apply) => {
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
  },
};
