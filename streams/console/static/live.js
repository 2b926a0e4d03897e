// The page "Now": replaces its live part as the server sends it, and says when it no longer does.
"use strict";

const live = document.getElementById("live");
const pulse = document.getElementById("pulse");
const source = new EventSource("/live");

source.addEventListener("now", (event) => {
  // The server rendered and escaped it, as it does a whole page. What is being read or pointed at stays for the moment.
  if (live.contains(document.activeElement) || live.matches(":has(a:active)")) return;
  live.innerHTML = event.data;
  if (!pulse.classList.contains("on")) {
    pulse.classList.add("on");
    pulse.textContent = "live";
  }
});
source.addEventListener("error", () => {
  pulse.classList.remove("on");
  pulse.textContent = source.readyState === EventSource.CLOSED ? "not live; reload the page" : "reconnecting";
});
addEventListener("pagehide", () => source.close());
