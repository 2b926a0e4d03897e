// An act's page: looks again until the worker has answered.
"use strict";

if (document.querySelector(".progress").dataset.state === "sent") {
  const look = async (tries) => {
    const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
    if (answer.ok && (await answer.json()).state !== "sent") location.reload();
    else if (tries < 60) setTimeout(look, tries < 10 ? 500 : 2000, tries + 1);
  };
  setTimeout(look, 500, 0);
}
