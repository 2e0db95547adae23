// SPDX-License-Identifier: MIT
// Shows what /events tells: clock, feed, report, state, lost. The browser connects again by itself, and says what it had
// last.
"use strict";
(() => {
  const KEEP_SECONDS = 300, OLD_SECONDS = 10;
  const $ = (id) => document.getElementById(id);
  const cards = new Map();
  let skew = 0; // the server's clock minus ours, ms
  let verifies = false;

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

  // Exact decimals come as text; what is shown, and the chart, have no use for so many digits.
  const decimal = (...values) => Number(values.find((value) => value !== undefined) ?? NaN);

  const number = (value) => {
    if (Number.isNaN(value)) return "–";
    const size = Math.abs(value), places = size >= 100 ? 2 : size >= 1 ? 4 : 8;
    return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  };

  // What this feed's schema does not have takes no room.
  const fill = (value, text) => {
    value.textContent = text;
    value.parentElement.hidden = text === "–";
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

  function makeCard(id) {
    const root = element("article"), title = element("h2"), list = element("dl");
    const card = { root, list, data: [[], []], name: element("b"), schema: element("span") };
    title.append(card.name, card.schema);
    card.price = element("p", "price", "–");
    card.problem = element("p", "problem");
    card.problem.hidden = true;
    root.append(title, card.price, card.problem, list);
    for (const [key, label] of [["bid", "bid"], ["ask", "ask"], ["spread", "spread"], ["age", "age"],
      ["market", "market"], ["verified", "signatures"]]) card[key] = pair(list, label, key);
    card.box = element("div", "chart");
    card.box.setAttribute("role", "img");
    root.append(card.box);
    root.dataset.feed = id;
    $("feeds").append(root);
    cards.set(id, card);
    return card;
  }

  function showFeed(feed) {
    const card = cards.get(feed.feed_id) || makeCard(feed.feed_id);
    card.name.textContent = feed.name;
    card.box.setAttribute("aria-label", "Price of " + feed.name + " in the last minutes");
    card.problem.hidden = !feed.problem;
    card.problem.textContent = feed.problem || "";
    for (const part of [card.price, card.list, card.box]) part.hidden = Boolean(feed.problem);
    return card;
  }

  function draw(card) {
    card.drawing = 0;
    if (card.chart === undefined) card.chart = makeChart(card);
    if (card.chart) card.chart.setData(card.data);
  }

  function keepPoint(card, observed, price) {
    const [times, prices] = card.data, time = observed / 1000;
    if (times.length > 0 && time <= times[times.length - 1]) return; // out of order, or told before
    times.push(time);
    prices.push(price);
    while (times[0] < time - KEEP_SECONDS) { times.shift(); prices.shift(); }
    if (!card.drawing) card.drawing = requestAnimationFrame(() => draw(card));
  }

  function showReport(report) {
    const id = report.feed_id, card = cards.get(id) || showFeed({ feed_id: id, name: id });
    const observed = report.observations_timestamp_ms ?? report.observations_timestamp * 1000;
    const price = decimal(report.price);
    if (!Number.isNaN(price)) keepPoint(card, observed, price);
    if (card.observed > observed) return;
    const bid = decimal(report.bid, report.best_bid, report.bid_price);
    const ask = decimal(report.ask, report.best_ask, report.ask_price);
    card.observed = observed;
    card.price.textContent = number(price);
    card.price.dataset.price = report.price;
    card.root.dataset.observed = observed;
    card.root.dataset.count = Number(card.root.dataset.count || 0) + 1;
    card.schema.textContent = "v" + report.version;
    fill(card.bid, number(bid));
    fill(card.ask, number(ask));
    fill(card.spread, bid && ask ? ((ask - bid) / price * 10000).toFixed(2) + " bp" : "–");
    fill(card.market, report.market_status_name || "–");
    card.verified.textContent = verifies ? "verified" : "not checked";
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

  let status, reasons = []; // as told last
  let missed = { words: "", till: 0 };

  function showReasons() {
    const all = missed.till > Date.now() ? [...reasons, missed.words] : reasons;
    const list = $("reasons");
    list.hidden = all.length === 0;
    if (list.dataset.text === all.join("\n")) return;
    list.dataset.text = all.join("\n");
    list.replaceChildren(...all.map((reason) => element("li", "", reason)));
  }

  function showState(state) {
    verifies = state.verifies;
    status = state.status;
    showConnection(status, words[status]);
    reasons = state.reasons;
    showReasons();
    const list = $("figures");
    list.replaceChildren();
    for (const [label, value] of state.figures) pair(list, label).textContent = value;
  }

  const source = new EventSource("events");
  const on = (name, show) => source.addEventListener(name, (event) => show(JSON.parse(event.data)));
  on("clock", (clock) => { skew = clock.now - Date.now(); });
  on("feed", showFeed);
  on("report", showReport);
  on("state", showState);
  on("lost", (lost) => {
    missed = { words: lost.reason, till: Date.now() + 60000 };
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
