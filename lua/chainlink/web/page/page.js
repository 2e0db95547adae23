// SPDX-License-Identifier: MIT
// Shows what /events tells: report, state, lost. The browser connects again by itself, and says what it had last.
"use strict";
(() => {
  const KEEP_SECONDS = 300, OLD_SECONDS = 10;
  const $ = (id) => document.getElementById(id);
  const cards = new Map();
  let skew = 0; // the server's clock minus ours, ms

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const pair = (list, label, className) => {
    const group = element("div"), value = element("dd", className, "–");
    group.append(element("dt", "", label), value);
    list.append(group);
    return value;
  };

  const number = (value) => {
    if (value === undefined || value === null) return "–";
    const size = Math.abs(value), places = size >= 100 ? 2 : size >= 1 ? 4 : 8;
    return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  };

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function makeChart(card) {
    if (!window.uPlot) {
      card.box.replaceWith(element("p", "notice", "No chart: uPlot is not installed with this server."));
      return null;
    }
    const axis = { stroke: () => color("--faint"), grid: { stroke: () => color("--line"), width: 1 },
      ticks: { show: false }, font: "11px system-ui" };
    return new uPlot({ width: card.box.clientWidth || 300, height: 120, legend: { show: false },
      cursor: { show: false }, padding: [6, 26, 0, 0],
      axes: [{ ...axis, size: 22, space: 58, incrs: [5, 15, 30, 60, 120], values: (_, splits) => splits.map((second) =>
        new Date(second * 1000).toLocaleTimeString("en-GB")) },
        { ...axis, size: 64, space: 28, values: (_, splits) => splits.map((s) => String(+s.toPrecision(8))) }],
      series: [{}, { stroke: () => color("--chart"), width: 2, points: { show: false } }] }, card.data, card.box);
  }

  function makeCard(feed) {
    const root = element("article"), title = element("h2", "", feed.name), list = element("dl");
    const card = { root, list, data: [[], []], schema: element("span") };
    title.append(card.schema);
    card.price = element("p", "price", "–");
    card.problem = element("p", "problem");
    card.problem.hidden = true;
    root.append(title, card.price, card.problem, list);
    for (const [key, label] of [["bid", "bid"], ["ask", "ask"], ["spread", "spread"], ["age", "age"],
      ["market", "market"], ["verified", "signatures"]]) card[key] = pair(list, label, key);
    card.box = element("div", "chart");
    card.box.setAttribute("role", "img");
    card.box.setAttribute("aria-label", "Price of " + feed.name + " in the last minutes");
    root.append(card.box);
    root.dataset.feed = feed.feed_id;
    $("feeds").append(root);
    cards.set(feed.feed_id, card);
    return card;
  }

  function draw(card) {
    card.drawing = 0;
    if (card.chart === undefined) card.chart = makeChart(card);
    if (card.chart) card.chart.setData(card.data);
  }

  function keepPoint(card, report) {
    const [times, prices] = card.data, time = report.observed / 1000;
    if (times.length > 0 && time <= times[times.length - 1]) return; // out of order, or told before
    times.push(time);
    prices.push(report.price);
    while (times[0] < time - KEEP_SECONDS) { times.shift(); prices.shift(); }
    if (!card.drawing) card.drawing = requestAnimationFrame(() => draw(card));
  }

  function showReport(report) {
    const card = cards.get(report.feed_id) || makeCard(report);
    keepPoint(card, report);
    if (card.observed > report.observed) return;
    card.observed = report.observed;
    card.price.textContent = number(report.price);
    card.price.dataset.price = report.price;
    card.root.dataset.observed = report.observed;
    card.root.dataset.count = Number(card.root.dataset.count || 0) + 1;
    card.schema.textContent = report.schema;
    card.bid.textContent = number(report.bid);
    card.ask.textContent = number(report.ask);
    card.spread.textContent = report.bid && report.ask
      ? ((report.ask - report.bid) / report.price * 10000).toFixed(2) + " bp" : "–";
    card.market.textContent = report.market || "–";
    card.verified.textContent = report.verified ? "verified" : "not checked";
    card.root.classList.remove("fresh");
    requestAnimationFrame(() => card.root.classList.add("fresh"));
    showAge(card);
  }

  function showAge(card) {
    if (!card.observed) return;
    const seconds = Math.max(0, (Date.now() + skew - card.observed) / 1000);
    card.age.textContent = seconds < 60 ? Math.round(seconds) + " s" : Math.round(seconds / 60) + " min";
    card.root.classList.toggle("old", seconds > OLD_SECONDS);
  }

  function showConnection(state, words) {
    const line = $("connection");
    if (line.dataset.state !== state) line.dataset.state = state;
    if (line.textContent !== words) line.textContent = words; // said aloud only when it changes
  }

  const words = { up: "connected to the service", degraded: "connected, with something wrong",
    down: "not connected to the service" };

  let reasons = [], losses = [];

  function showReasons() {
    const now = Date.now();
    losses = losses.filter((loss) => loss.until > now);
    const all = [...reasons, ...new Set(losses.map((loss) => loss.words))];
    const list = $("reasons");
    list.hidden = all.length === 0;
    if (list.dataset.text === all.join("\n")) return;
    list.dataset.text = all.join("\n");
    list.replaceChildren(...all.map((reason) => element("li", "", reason)));
  }

  let status; // as told last

  function showState(state) {
    skew = state.now - Date.now();
    status = state.status;
    showConnection(status, words[status]);
    reasons = state.reasons;
    showReasons();
    for (const feed of state.feeds) {
      const card = cards.get(feed.feed_id) || makeCard(feed);
      card.problem.hidden = !feed.problem;
      card.problem.textContent = feed.problem || "";
      for (const part of [card.price, card.list, card.box]) part.hidden = Boolean(feed.problem);
    }
    const list = $("figures");
    list.replaceChildren();
    for (const [label, value] of state.figures) pair(list, label).textContent = value;
  }

  const source = new EventSource("events");
  const on = (name, show) => source.addEventListener(name, (event) => show(JSON.parse(event.data)));
  on("report", showReport);
  on("state", showState);
  on("lost", (lost) => {
    losses.push({ until: Date.now() + 60000, words: (lost.name ? lost.name + ": " : "") + lost.reason });
    showReasons();
  });
  source.addEventListener("open", () => { if (status) showConnection(status, words[status]); });
  source.addEventListener("error", () => {
    showConnection("lost", "the server of this page does not answer; trying again");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  });
  setInterval(() => cards.forEach(showAge), 1000);
  addEventListener("resize", () => cards.forEach((card) => card.chart &&
    card.chart.setSize({ width: card.box.clientWidth, height: 120 })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    cards.forEach((card) => card.chart && card.chart.redraw()));
})();
