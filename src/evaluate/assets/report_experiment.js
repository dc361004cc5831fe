/* The report's part about an experiment: the sentence, a dot and its interval for every figure,
   and who was compared. It is called by report.js with its tools. */
window.reportExperiment = function (given, tools) {
  "use strict";
  const { el, number, percent, day, counted, section, table, colour } = tools;
  const e = given.experiment;
  const labels = { buyers: "bought", revenue: "spent, a shopper", responses: "clicked or redeemed",
    unsubscribes: "unsubscribed", dismissals: "dismissed a promotion", returns: "given back, a line bought",
    rating: "stars, a rating" };
  const less = ["unsubscribes", "dismissals", "returns"];
  const minor = Math.pow(10, given.currency_digits);
  const isMoney = (f) => f.metric === "revenue", isShare = (f) => f.metric !== "revenue" && f.metric !== "rating";

  /* In percent, in money, or as it is. */
  const scaled = (f, x) => (isMoney(f) ? x / minor : isShare(f) ? 100 * x : x);
  const digits = (f) => { const half = scaled(f, f.high - f.low) / 2; return half > 0 && half < 0.1 ? 2 : 1; };
  const shown = (f, x) => (typeof x !== "number" ? "–"
    : number(scaled(f, x), isMoney(f) ? given.currency_digits : digits(f)) +
      (isMoney(f) ? "\u00a0" + given.currency : isShare(f) ? "\u00a0%" : ""));
  const signed = (f, x) => (x < 0 ? "−" : "+") +
    number(Math.abs(scaled(f, x)), isMoney(f) ? given.currency_digits : digits(f));
  const known = e.figures.filter((f) => f.word !== "no_data");
  const tone = (f) => (f.word === "better" ? "accent" : f.word === "worse" ? "warm" : "soft");

  /* Each row has its own scale: as many widths of its interval to either side of no difference. */
  function row(f, y) {
    const reach = Math.max(Math.abs(f.low), Math.abs(f.high), 1e-12);
    const better = less.includes(f.metric) ? -1 : 1;
    const x = (v) => 300 + 270 * better * (v / reach);
    const node = (tag, attributes, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      if (text) made.textContent = text;
      return made;
    };
    const ink = colour(tone(f));
    return [
      node("text", { x: 0, y: y - 12, "font-size": 14, fill: colour("ink") }, labels[f.metric]),
      node("text", { x: 600, y: y - 12, "font-size": 14, fill: ink, "text-anchor": "end" },
        signed(f, f.difference) + (isShare(f) ? " points" : isMoney(f) ? " " + given.currency : "")),
      node("line", { x1: 20, x2: 580, y1: y, y2: y, stroke: colour("grid"), "stroke-width": 1 }),
      node("line", { x1: x(f.low), x2: x(f.high), y1: y, y2: y, stroke: ink, "stroke-width": 5,
        "stroke-linecap": "round", "stroke-opacity": 0.45 }),
      node("circle", { cx: x(f.difference), cy: y, r: 7, fill: ink }),
    ];
  }
  function picture() {
    const high = 12 + 46 * known.length;
    const box = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    box.setAttribute("viewBox", "0 0 600 " + high);
    box.setAttribute("role", "img");
    box.setAttribute("style", "width:100%;display:block;margin-top:.8rem");
    box.setAttribute("aria-label", "Differences between the groups with and without promotions");
    for (const [key, value] of Object.entries({ x1: 300, x2: 300, y1: 4, y2: high - 4,
      stroke: colour("soft"), "stroke-dasharray": "5 5" })) line.setAttribute(key, value);
    box.append(line, ...known.flatMap((f, i) => row(f, 36 + 46 * i)));
    return el("figure", {}, el("h3", {}, "With promotions against without"), box,
      el("figcaption", {}, "A dot is the difference that was seen, the bar where the true one lies in " +
        percent(1 - e.alpha) + " of such experiments; right of the dashed line is better. Grey is not known yet: of several figures asked at once " +
        "each must be clearer than one alone. Every row has its own scale."));
  }
  function figures() {
    const p = (f) => (f.word === "no_data" ? "–" : f.p_adjusted < 0.001 ? "< .001" : number(f.p_adjusted, 3));
    return table([{ name: "figure" }, { name: "with promotions", n: 1 }, { name: "without", n: 1 },
      { name: "difference", n: 1 }, { name: "interval", n: 1 }, { name: "adjusted p", n: 1 }, { name: "verdict", n: 1 }],
      e.figures.map((f) => [labels[f.metric] + (f.role === "guardrail" ? " (guardrail)" : ""),
        shown(f, f.treated.value), shown(f, f.control.value),
        f.word === "no_data" ? "–" : signed(f, f.difference),
        f.word === "no_data" ? "–" : signed(f, f.low) + " to " + signed(f, f.high), p(f), f.word.replace("_", " ")]));
  }
  const waiting = e.treated.waiting + e.control.waiting;
  section("What it changed", e.sentence,
    known.length ? picture() : null,
    e.figures.length ? figures() : null,
    el("p", {}, counted(e.treated.members, "shopper") + " with promotions and " + number(e.control.members, 0) +
      " held out by lot" + (given.campaign ? " of campaign " + given.campaign : "") + ", from " + day(given.since) +
      " on, each for " + counted(given.window_days, "day") + "; " +
      (waiting ? counted(waiting, "shopper") + " whose days are not over will be added." : "all their days are over.") +
      " Who was given which group counts, whether a promotion reached him or not."));
};
