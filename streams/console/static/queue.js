// The review queue: verdicts without leaving the page. A key arms a button, the same key again sends it, so that a slip
// decides nothing. What came of a verdict is shown when it is seen in the stream.
"use strict";

const announce = document.getElementById("announce");

function say(card, text, state) {
  card.querySelector(".result").textContent = text;
  card.dataset.state = state;
  announce.textContent = text;
}

async function follow(card, event) {
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, tries < 10 ? 500 : 2000));
    const answer = await fetch(`/act?event=${encodeURIComponent(event)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) break;
    const seen = await answer.json();
    if (seen.state === "refused") return say(card, `Refused: ${seen.refused}`, "refused");
    if (seen.state === "applied") return say(card, "Applied.", "applied");
  }
  say(card, "Sent; the worker has not answered yet.", "sent");
}

async function send(form) {
  const card = form.closest(".card");
  const buttons = card.querySelectorAll("button");
  buttons.forEach((each) => { each.disabled = true; });
  say(card, "Sending …", "sending");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
    });
    const done = await answer.json();
    if (!answer.ok) {
      buttons.forEach((each) => { each.disabled = false; });
      return say(card, done.error, "refused");
    }
    card.classList.add("sent");
    if (done.proposal) return say(card, `A second person has to agree: ${done.why}.`, "proposed");
    say(card, "Sent; waiting for its effect …", "sent");
    await follow(card, done.event_id);
  } catch (error) {
    buttons.forEach((each) => { each.disabled = false; });
    say(card, "It could not be sent; look at the decision before you try again.", "refused");
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.closest(".card")) {
    event.preventDefault();
    send(event.target);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const card = document.querySelector(".card.chosen");
  const armed = document.querySelector("button.armed");
  const form = event.key.length === 1 ? card?.querySelector(`form[data-key="${CSS.escape(event.key)}"]`) : null;
  const button = form?.querySelector("button");
  armed?.classList.remove("armed");
  if (!button || button.disabled) return;
  if (armed === button) send(form);
  else {
    button.classList.add("armed");
    announce.textContent = `Press ${event.key} again: ${button.getAttribute("aria-label")}`;
  }
});
