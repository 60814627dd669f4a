
(() => {
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const chapter = document.getElementById("chapter");
  const applicant = document.getElementById("applicant");
  const shown = document.getElementById("shown");
  const large = document.getElementById("large");
  const sections = [...document.querySelectorAll("section")];
  const items = sections.flatMap(section => [...section.querySelectorAll("details.request")].map(card => ({
    card, section, chapter: section.dataset.group, verdict: card.dataset.verdict, level: card.dataset.level,
    applicant: card.dataset.applicant, text: page.plain(card.textContent),
  })));
  const verdicts = page.boxes(form, "verdict");
  const levels = page.boxes(form, "level");

  function apply() {
    const words = page.plain(search.value).split(" ").filter(Boolean);
    const wanted = { verdict: page.chosen(verdicts), level: page.chosen(levels), chapter: chapter.value, applicant: applicant ? applicant.value : "" };
    const totals = { verdict: new Map(), level: new Map(), chapter: new Map(), applicant: new Map() };
    const perSection = new Map();
    let number = 0;
    for (const item of items) {
      const found = words.every(word => item.text.includes(word));
      const fits = {
        verdict: !wanted.verdict.size || wanted.verdict.has(item.verdict),
        level: !wanted.level.size || wanted.level.has(item.level),
        chapter: !wanted.chapter || wanted.chapter === item.chapter,
        applicant: !wanted.applicant || wanted.applicant === item.applicant,
      };
      const names = Object.keys(fits);
      // each count is what the choice would leave, the other choices being what they are
      for (const name of names) {
        if (found && names.every(other => other === name || fits[other])) page.add(totals[name], item[name]);
      }
      const visible = found && names.every(name => fits[name]);
      if (item.card.hidden === visible) item.card.hidden = !visible;
      if (visible) { number += 1; page.add(perSection, item.section); }
    }
    for (const section of sections) {
      const inside = perSection.get(section) || 0;
      section.hidden = !inside;
      section.querySelector(".number").textContent = page.figures.format(inside);
    }
    page.countBoxes(verdicts, totals.verdict);
    page.countBoxes(levels, totals.level);
    page.countOptions(chapter, totals.chapter);
    if (applicant) page.countOptions(applicant, totals.applicant);
    page.tell(shown, number, items.length);
  }

  const visible = () => items.filter(item => !item.card.hidden).map(item => item.card);
  const setAll = open => { for (const card of visible()) card.open = open; };

  // a request that a link leads to is shown whatever the filters, and unfolded
  function goTo() {
    const card = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
    if (!card || !card.classList.contains("request")) return;
    if (card.hidden) { form.reset(); apply(); }
    card.open = true;
    card.scrollIntoView({ block: "center" });
    card.querySelector("summary").focus({ preventScroll: true });
  }

  document.getElementById("unfold").addEventListener("click", () => setAll(true));
  document.getElementById("fold").addEventListener("click", () => setAll(false));
  large.addEventListener("click", () => {
    large.setAttribute("aria-pressed", document.documentElement.classList.toggle("large"));
  });
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    const card = event.target.closest ? event.target.closest("details.request") : null;
    if (!card || event.target.parentElement !== card) return;
    const cards = visible();
    const next = cards[cards.indexOf(card) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.querySelector("summary").focus();
  });
  addEventListener("hashchange", goTo);
  page.listen(form, search, apply);
  apply();
  goTo();
})();
