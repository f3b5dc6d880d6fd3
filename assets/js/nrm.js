// All script there is. Every page works without it.
import { initAll } from "./govuk-frontend.min.js";
import "./sitting.js";

initAll();

// On a slow line people press twice. The server answers a second post with the first result, but it
// is kinder not to send it. A form is free again after ten seconds, or on coming back to the page.
const QUIET_MS = 10000;
const sent = new WeakMap();

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || button.dataset.preventDoubleClick !== "true") return;
  const now = Date.now();
  if (now - (sent.get(event.target) ?? -QUIET_MS) < QUIET_MS) {
    event.preventDefault();
    return;
  }
  sent.set(event.target, now);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach((form) => sent.delete(form));
});
