// SPDX-License-Identifier: Apache-2.0
// Filters while somebody types, and loads the page's changing parts anew. Without it the page works the same, a form and a reload slower.
(() => {
  const PERIOD_MS = 5000;
  const KEY = "evener-refresh";
  const button = document.getElementById("refresh");
  const input = document.getElementById("q");

  function filter() {
    if (input === null) return;
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    let all = 0;
    for (const row of document.querySelectorAll("tbody tr")) {
      row.hidden = ![...row.children].some((cell) => cell.textContent.toLowerCase().includes(wanted));
      all += 1;
      if (!row.hidden) shown += 1;
    }
    const found = wanted === "" ? "" : `${shown} of ${all} rows shown`;
    const status = document.getElementById("found");
    if (status.textContent !== found) status.textContent = found;
  }

  // Where somebody is, and what they have opened, stays as it is.
  function replace(fresh) {
    const focused = document.activeElement?.id ?? "";
    const open = [...document.querySelectorAll("details[open]")].map(({ id }) => id);
    const places = [...document.querySelectorAll(".scroll, pre[id]")].map((one) => [one.id, one.scrollLeft, one.scrollTop]);
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (other !== null) part.replaceChildren(...other.childNodes);
    }
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, left, top] of places) document.getElementById(id)?.scrollTo(left, top);
    filter();
    if (focused !== "" && document.activeElement?.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  async function load() {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      button.textContent = "Refresh every 5 s";
    } catch {
      button.textContent = "Refresh every 5 s: no answer";
    }
  }

  let timer;
  function set(on) {
    clearInterval(timer);
    button.setAttribute("aria-pressed", String(on));
    sessionStorage.setItem(KEY, on ? "on" : "off");
    if (!on) return;
    timer = setInterval(() => {
      if (!document.hidden) void load();
    }, PERIOD_MS);
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    set(on);
    if (on) void load();
  });
  set(sessionStorage.getItem(KEY) === "on");
  input?.addEventListener("input", filter);
  filter();
})();
