// The screen of somebody who is signed in: covered when nobody is there, warned before the sitting ends,
// empty when it is over. Nothing is kept in the browser. Without script none of this happens, and the
// server ends the sitting all the same.

const here = document.getElementById("nrm-sitting");
const part = (name) => document.getElementById(`nrm-${name}`);

if (here) {
  const seconds = (name) => Number(here.dataset[name]) * 1000;
  const began = Date.now();
  const endsAt = here.dataset.end === undefined ? Infinity : began + seconds("end");
  let clickedAt = began;
  let touchedAt = began;
  let kept = false;
  // What a refused form shows again was typed as well, and is nowhere else.
  let typed = document.querySelector(".govuk-error-summary") !== null;
  let title = document.title;

  // The server writes the time of a click down once a minute at most: it may count from a minute ago.
  const endsIdle = () => clickedAt + seconds("idle") - 60000;

  // Whoever clicks in one window is there for all of them.
  const others = "BroadcastChannel" in window ? new BroadcastChannel("nrm-sitting") : null;
  const tell = (what) => others && others.postMessage(what);
  if (others) {
    others.onmessage = ({ data }) => {
      if (data === "ended") leave(2000);
      else clicked();
    };
  }
  tell("clicked");
  part("sign-out").addEventListener("submit", () => tell("ended"));

  function clicked() {
    clickedAt = Date.now();
    kept = false;
    tick();
  }

  function leave(patience = 0) {
    document.body.hidden = true;
    setTimeout(() => location.replace("/"), patience);
  }

  // A page of a flag goes into its draft, once, when the end is near; other forms stay as they are.
  async function keep() {
    const form = part("keeps");
    kept = true;
    if (!typed) return;
    if (!form) return say("lost", true);
    const body = new FormData(form);
    body.set("keep", "1");
    const answer = await post(form.getAttribute("action") || location.href, body, true);
    typed = !answer.ok;
    say("kept", answer.ok);
    say("lost", !answer.ok);
  }

  function post(address, body, byItself) {
    const headers = byItself ? { [here.dataset.byItself]: "1" } : {};
    return fetch(address, { method: "POST", body, headers, redirect: "manual" }).catch(() => ({ ok: false, unheard: true }));
  }

  function say(name, shown) {
    part(`warning-${name}`).hidden = !shown;
  }

  function warn(left, atLast) {
    say("idle", !atLast);
    say("end", atLast);
    say("stay", !atLast);
    const minutes = Math.floor(left / 60000);
    const rest = String(Math.floor((left % 60000) / 1000)).padStart(2, "0");
    part("warning-left").textContent = `${minutes}:${rest}`;
    part("warning").hidden = false;
    part("cover-soon").hidden = false;
    if (!kept) keep();
  }

  function calm() {
    ["kept", "lost", "unheard"].forEach((name) => say(name, false));
    part("warning").hidden = true;
    part("cover-soon").hidden = true;
  }

  part("extend").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await post(event.target.action, new FormData(event.target), false);
    // On a line that is down nothing is thrown away: one presses again.
    say("unheard", answer.unheard);
    if (answer.unheard) return;
    if (!answer.ok) return leave();
    clicked();
    tell("clicked");
  });

  // The cover: the browser's own dialog, so that nothing beneath it can be read or reached.
  const cover = part("cover");
  const canCover = typeof cover.showModal === "function";

  function covers() {
    if (!canCover || cover.open) return;
    title = document.title;
    document.title = here.dataset.title;
    cover.showModal();
  }

  const uncovers = () => cover.open && cover.close();
  // Also where the browser closes it by itself, as a phone's gesture for "back" does.
  cover.addEventListener("close", () => {
    document.title = title;
    touchedAt = Date.now();
  });

  let escapedAt = 0;
  document.addEventListener("keydown", (event) => {
    touchedAt = Date.now();
    if (cover.open) {
      // The key that uncovers does nothing else: nobody sees yet what it would do.
      event.preventDefault();
      event.stopImmediatePropagation();
      uncovers();
    } else if (event.key === "Escape") {
      if (touchedAt - escapedAt < 600) covers();
      escapedAt = touchedAt;
    }
  }, true);
  cover.addEventListener("cancel", (event) => event.preventDefault());
  cover.addEventListener("click", uncovers);
  for (const sign of ["pointerdown", "pointermove", "scroll", "input"]) {
    document.addEventListener(sign, () => { touchedAt = Date.now(); }, { capture: true, passive: true });
  }
  document.addEventListener("input", (event) => {
    if (event.target.closest("main form")) typed = true;
  });
  if (canCover) {
    part("cover-now").hidden = false;
    part("cover-now").addEventListener("click", covers);
  }

  function tick() {
    const now = Date.now();
    const left = Math.min(endsIdle(), endsAt) - now;
    // Only when the server has ended it for sure: asking earlier would be a click.
    if (now > Math.min(endsIdle() + 65000, endsAt + 2000)) return leave();
    if (left < seconds("warn")) warn(Math.max(0, left), endsAt <= endsIdle());
    else calm();
    if (now - touchedAt >= seconds("cover")) covers();
  }
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);

  // A page that the browser kept for "back" may be older than the sitting: it is asked for anew, unseen.
  window.addEventListener("pagehide", (event) => {
    if (event.persisted) document.body.hidden = true;
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
