// Keys that work on every page: / searches, g and a letter goes to a page, j and k choose, Enter opens, ? says so.
"use strict";

const choices = () => [...document.querySelectorAll("[data-open]")].filter((each) => !each.hidden);
let going = false;

function choose(step) {
  const all = choices();
  if (!all.length) return;
  const at = all.findIndex((each) => each.classList.contains("chosen"));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  all.forEach((each) => each.classList.toggle("chosen", each === next));
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function typing(target) {
  return target.matches("input, select, textarea") || target.isContentEditable;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going) {
    going = false;
    const link = document.querySelector(`nav.menu a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      location.assign(link.href);
    }
    return;
  }
  switch (event.key) {
    case "/":
      event.preventDefault();
      document.getElementById("q")?.focus();
      break;
    case "g":
      going = true;
      setTimeout(() => { going = false; }, 1500);
      break;
    case "j":
      choose(1);
      break;
    case "k":
      choose(-1);
      break;
    case "Enter": {
      const chosen = document.querySelector("[data-open].chosen");
      if (chosen && event.target === chosen) location.assign(chosen.dataset.open);
      break;
    }
    case "?":
      document.getElementById("help")?.showModal();
      break;
  }
});
