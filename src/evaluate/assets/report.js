/* Draws the report from the JSON in #data. Nothing is fetched. Every text from the data
   goes through textContent, so a product's title can never become markup. */
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.getElementById("report");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue("--" + name).trim();

  /* --- small tools ------------------------------------------------------------------- */

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    for (const child of children.flat()) {
      if (child === null || child === undefined) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  }
  const number = (x, digits) =>
    x === null || x === undefined || Number.isNaN(Number(x)) ? "–"
      : Number(x).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (x, digits) => (x === null || x === undefined ? "–" : number(100 * x, digits || 0) + "\u00a0%");
  const ratio = (x, digits) => (x === null || x === undefined ? "–" : Number(x).toFixed(digits || 3).replace(/^0\./, "."));
  const money = (x) => (x === null || x === undefined ? "–"
    : number(Number(x), 2) + "\u00a0" + (data.decided ? data.decided.currency : data.workspace.currency));
  const months = ["January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December"];
  /* "7 January 2017", kept together on a line. */
  const day = (x) => {
    const parts = /^(\d{4})-(\d\d)-(\d\d)/.exec(x || "");
    return parts ? [Number(parts[3]), months[parts[2] - 1], parts[1]].join("\u00a0") : "–";
  };
  const counted = (n, one, more) => number(n, 0) + " " + (Number(n) === 1 ? one : more || one + "s");
  const readable = (x) => String(x).replace(/[_-]/g, " ");

  function section(title, lead, ...children) {
    root.append(el("h2", {}, title), el("p", {}, lead), ...children.filter(Boolean));
  }
  function cards(...pairs) {
    return el("div", { class: "cards" }, pairs.filter(Boolean).map(([big, small]) =>
      el("div", { class: "card" }, el("b", {}, big), el("span", {}, small))));
  }
  function figure(title, meaning, draw) {
    const canvas = el("canvas", { role: "img", "aria-label": title });
    const box = el("figure", {}, el("h3", {}, title), el("div", { class: "plot" }, canvas),
      el("figcaption", {}, meaning));
    queue.push(() => draw(canvas));
    return box;
  }
  const queue = [];

  function table(headings, rows, best) {
    const cell = (tag, value, heading) => el(tag, heading.n ? { class: "n" } : {}, value);
    return el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, headings.map((h) => cell("th", h.name, h)))),
      el("tbody", {}, rows.map((row, i) => el("tr", i === best ? { class: "best" } : {},
        headings.map((h, k) => cell("td", row[k], h)))))));
  }

  /* --- plots -------------------------------------------------------------------------- */

  Chart.defaults.color = colour("soft");
  Chart.defaults.borderColor = colour("grid");
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.plugins.legend.labels.boxWidth = 12;

  const axis = (title, more) => Object.assign({ title: { display: true, text: title } }, more || {});

  /* An axis label as lines of so many characters, three at most. */
  function lines(words, width) {
    const out = [""];
    for (const word of String(words).split(" ")) {
      const last = out[out.length - 1];
      if (last && last.length + word.length >= width) out.push(word);
      else out[out.length - 1] = last ? last + " " + word : word;
    }
    return out.length > 3 ? out.slice(0, 2).concat(out[2] + " …") : out;
  }
  /* Labels of bars that lie flat, and a plot high enough for them. */
  function flatLabels(canvas, names, least) {
    const box = canvas.parentNode;
    const given = names.map((words) => lines(words, box.clientWidth > 500 ? 34 : 17));
    const most = Math.max(...given.map((label) => label.length));
    box.style.height = Math.max(180, 70 + names.length * Math.max(least, 10 + 15 * most)) + "px";
    return given;
  }

  function plotReliability(points) {
    return (canvas) => {
      const top = Math.min(1, Math.ceil(Math.max(...points.map((q) => Math.max(q.p, q.y))) * 10.4) / 10) || 1;
      new Chart(canvas, {
        type: "scatter",
        data: { datasets: [
          { label: "a tenth of the shoppers", data: points.map((q) => ({ x: q.p, y: q.y })),
            backgroundColor: colour("accent"), radius: 6, pointStyle: "circle" },
          { label: "perfect", type: "line", data: [{ x: 0, y: 0 }, { x: top, y: top }],
            borderColor: colour("soft"), borderDash: [5, 5], borderWidth: 1.5, pointRadius: 0, pointStyle: "line" }] },
        options: { plugins: { legend: { labels: { usePointStyle: true, boxHeight: 7 } } }, scales: {
          x: axis("predicted share who redeem", { min: 0, max: top, ticks: { callback: (v) => percent(v) } }),
          y: axis("share who did", { min: 0, max: top, ticks: { callback: (v) => percent(v) } }) } },
      });
    };
  }
  function plotBars(names, values, axisTitle, options) {
    const o = options || {};
    return (canvas) => new Chart(canvas, {
      type: "bar",
      data: { labels: o.flat ? flatLabels(canvas, names, 26) : names, datasets: [{ data: values, borderRadius: 4,
        backgroundColor: values.map((_, i) => (i === o.best ? colour("accent") : colour(o.fill || "blue"))) }] },
      options: { indexAxis: o.flat ? "y" : "x", plugins: { legend: { display: false } },
        scales: { [o.flat ? "x" : "y"]: axis(axisTitle, { beginAtZero: true }),
          [o.flat ? "y" : "x"]: o.flat ? { grid: { display: false }, ticks: { autoSkip: false } }
            : axis(o.across || "", { grid: { display: false } }) } },
    });
  }
  function plotBudgets(caps) {
    const name = (c) => c.name.replace(/^budget of "(.*)"$/, "$1");
    return (canvas) => new Chart(canvas, {
      type: "bar",
      data: { labels: flatLabels(canvas, caps.map(name), 36), datasets: [
        { label: "planned", data: caps.map((c) => Number(c.used)), backgroundColor: colour("accent"), borderRadius: 4 },
        { label: "limit", data: caps.map((c) => Number(c.limit)), backgroundColor: colour("accent-soft"), borderRadius: 4 }] },
      options: { indexAxis: "y", scales: { x: axis(data.decided.currency, { beginAtZero: true }),
        y: { grid: { display: false }, ticks: { autoSkip: false } } } },
    });
  }

  /* Dots with their intervals, one under the other; nothing at 0 is marked by a line. */
  function plotIntervals(names, rows, axisTitle) {
    return (canvas) => new Chart(canvas, {
      type: "bar",
      data: { labels: flatLabels(canvas, names, 30), datasets: [
        { label: "95 % interval", data: rows.map((q) => [q.low, q.high]), backgroundColor: colour("accent-soft"),
          borderSkipped: false, borderRadius: 4, barPercentage: .35, order: 1 },
        { label: "estimate", type: "scatter", data: rows.map((q, i) => ({ x: q.value, y: i })),
          backgroundColor: colour("accent"), radius: 6, order: 0 }] },
      options: { indexAxis: "y", plugins: { legend: { display: false } },
        scales: { x: axis(axisTitle, { grid: { color: (c) => (c.tick && c.tick.value === 0 ? colour("soft") : colour("grid")) } }),
          y: { grid: { display: false }, ticks: { autoSkip: false } } } },
    });
  }

  /* --- the parts ------------------------------------------------------------------------ */

  function head() {
    const w = data.workspace, n = w.counts;
    root.append(el("header", {}, el("h1", {}, w.shop + ": who gets which promotion, and why"),
      el("p", {}, "What Proffer learnt from " + counted(n.events, "event") + " of " +
        counted(n.shoppers, "shopper") + " between " + day(w.first_event) + " and " +
        day(w.last_event) + ", how good its predictions were in weeks it had not seen, and what it decided.")));
  }

  function responsePart(e) {
    const any = e.any && (e.any.all || e.any);
    if (!any) return;
    const lift = any.lift || [];
    section("Will a shopper redeem anything at all?",
      "Every campaign from " + day(e.test_from) + " on was predicted by a model that had seen only campaigns already over. " +
      counted(any.rows, "mailing") + ", " + percent(any.rows ? any.positives / any.rows : null, 1) + " of them redeemed.",
      cards([ratio(any.auc), "AUC: how often a redeemer is ranked above a non-redeemer (.5 is chance)"],
        [number(any.sum_p_over_sum_y, 2), "predicted redeemers for each real one (1 is right)"],
        [ratio(any.ece), "calibration error: the usual distance between promise and fact"],
        [ratio(any.log_loss), "log-loss; always saying the last known rate gives " +
          ratio(((any.baselines || []).find((b) => /constant/.test(b.model)) || {}).log_loss)]),
      el("div", { class: "pair" },
        figure("Promise against fact", "Each dot is a tenth of the shoppers, from least to most likely. On the dashed line a predicted 20 % is a real 20 %.",
          plotReliability(any.reliability || [])),
        figure("Where the redeemers are", lift.length
          ? "Mailing only the best tenth would have reached " + number(lift[0].lift, 1) + " times as many redeemers a letter as mailing at random."
          : "", plotBars(lift.map((_, i) => String(i + 1)), lift.map((q) => q.lift),
          "redemptions against the average", { across: "tenth of shoppers, best first", best: 0 }))),
      responseTable(e, any));
  }

  /* The best of those judged on the same mailings is marked, whoever it is. */
  function responseTable(e, any) {
    const others = any.baselines || [], seen = any !== e.any ? e.any.observed : null;
    const figures = (name, m) => [name, ratio(m.auc), ratio(m.log_loss), ratio(m.ece), number(m.sum_p_over_sum_y, 2)];
    const rows = [["Proffer", any]].concat(others.map((b) => [readable(b.model), b]));
    const best = rows.reduce((at, row, i) => (row[1].log_loss < rows[at][1].log_loss ? i : at), 0);
    if (seen && seen.rows) rows.push(["Proffer, the " + seen.campaigns + " campaigns that ended within the data", seen]);
    return others.length ? table(
        [{ name: "model" }, { name: "AUC", n: 1 }, { name: "log-loss", n: 1 }, { name: "calibration error", n: 1 }, { name: "predicted / real", n: 1 }],
        rows.map(([name, m]) => figures(name, m)), best) : null;
  }

  function modelsPart(title, lead, given, meaning) {
    const rows = given.slice().sort((a, b) => b["ndcg@10"] - a["ndcg@10"]);
    const columns = [["NDCG@10", "ndcg@10", 4], ["± se", "ndcg@10_se", 4], ["recall@10", "recall@10", 4],
      ["hit rate@10", "hr@10", 4], ["coverage@10", "coverage@10", 4]]
      .filter(([, key]) => rows.some((r) => typeof r[key] === "number"));
    section(title, lead, figure("Ranking quality, NDCG@10", meaning,
      plotBars(rows.map((r) => readable(r.model)), rows.map((r) => r["ndcg@10"]), "NDCG@10 (1 is perfect)", { flat: true, best: 0 })),
      table([{ name: "model" }].concat(columns.map(([name]) => ({ name, n: 1 }))),
        rows.map((r) => [readable(r.model)].concat(columns.map(([, key, digits]) => ratio(r[key], digits)))), 0));
  }

  function evaluationPart(e) {
    responsePart(e);
    const which = e.which && (e.which.all || e.which);
    if (which) {
      const own = Object.assign({ model: "Proffer" }, which);
      modelsPart("Which of the promotions?",
        "For the " + number(which.pairs, 0) + " times that a shopper redeemed something of a test campaign: how high did the right promotions stand among all of that campaign?",
        [own].concat(which.baselines || []),
        "Higher is better: the redeemed promotions stand nearer to the top of the list.");
    }
    if (e.products && e.products.models && e.products.models.length)
      modelsPart("Which products next?",
        "Products bought in the " + Math.round((Date.parse(e.products.to) - Date.parse(e.products.from)) / 864e5) +
        " days from " + day(e.products.from) + " on by " + counted(e.products.users, "shopper") + ", predicted from what came before; products bought earlier may come again.",
        e.products.models, "A list of ten: how well its order agrees with what went into the baskets.");
  }

  function decisionCard(s) {
    const sent = s.decision === "send";
    return el("article", { class: "decision" },
      el("div", { class: "who" }, el("span", {}, "Shopper " + s.shopper),
        el("span", { class: sent ? "tag" : "tag no" }, sent ? s.channel : readable(s.reason_code))),
      sent ? el("blockquote", {}, s.message) : null,
      sent ? el("p", { class: "why" }, s.title + " · chance to redeem " + percent(s.p_redeem, 1)) : null,
      el("p", { class: "why" }, s.reason));
  }

  const between = (low, high) => (low === undefined || low === null ? "" : " (95 %: " + number(Number(low), 2) + " to " + number(Number(high), 2) + ")");

  const gainWords = (d) => "expected " + (/redemptions|clicks|conversions/.test(d.gain_metric) ? "worth of the " + d.gain_metric
    : (d.gain_metric === "revenue" ? "revenue" : "margin") + (d.gain_counts === "uplift" ? " of what it adds" : " of the redemptions"));

  /* What one more unit of each budget or cap would buy. */
  function nextUnitPart(d) {
    const tight = d.caps.filter((c) => c.shadow_price > 0).slice(0, 12);
    const isMoney = (c) => /budget/.test(c.kind);
    const unit = (c) => (isMoney(c) ? "1 " + d.currency : /redemptions/.test(c.kind) ? "1 redemption" : "1 message");
    const buys = (c) => (c.next_unit_only_with ? "nothing alone; only with more of the " + c.next_unit_only_with
      : c.next_unit_messages ? "about " + number(c.next_unit_messages, 1) + " more messages by " + c.next_unit_channel + (c.name.includes(c.next_unit_title) ? "" : " of “" + c.next_unit_title + "”") : "–");
    const best = tight.filter((c) => isMoney(c) && !c.next_unit_only_with)
      .sort((a, b) => b.shadow_price - a.shadow_price)[0];
    section("The best use of one more unit of money", !tight.length
      ? "No budget and no cap is tight: everything that is worth its cost is sent, and more money would buy nothing more."
      : best ? "Put the next " + d.currency + " into the " + best.name + ": it would bring " + money(best.next_unit_brings) +
        " more than it costs" + (best.next_unit_messages ? ", by " + buys(best) : "") + "."
        : "More money would buy nothing alone: what is tight is the number of messages.",
      tight.length ? table([{ name: "what is tight" }, { name: "one more", n: 1 }, { name: "brings, beyond its cost", n: 1 }, { name: "by" }],
        tight.map((c) => [c.name, unit(c), money(c.next_unit_brings), buys(c)])) : null);
  }

  /* Policies side by side, on the log or on past campaigns. */
  function policiesPart(p) {
    const told = p.policies.filter((q) => q.value !== undefined && q.verdict !== "reference");
    const isMoney = /margin|revenue/.test(p.reward);
    const scale = isMoney ? 10 ** -p.currency_digits : 1000;
    const unit = isMoney ? p.currency + " a decision" : readable(p.reward) + " a thousand decisions";
    section("Other ways to decide", p.basis === "by lot"
      ? "What each policy would have brought, read off the log: chance decided what was sent, so what followed can be carried over to another policy."
      : "What each policy would have brought in past campaigns. Nothing was randomised then: who was sent what is explained by what is known of shoppers, as well as that goes. This is a hint, not a proof.",
      el("ul", {}, p.policies.map((q) => el("li", {}, q.sentence))),
      told.length ? figure("More or less than what was done", "Each dot is a policy, its bar where the true figure lies with 95 % confidence. A bar across zero: not known yet.",
        plotIntervals(told.map((q) => q.policy), told.map((q) => ({ value: q.difference * scale,
          low: q.difference_low * scale, high: q.difference_high * scale })), unit)) : null,
      table([{ name: "policy" }, { name: "brings", n: 1 }, { name: "more than was done", n: 1 }, { name: "95 %", n: 1 }, { name: "treated", n: 1 }, { name: "decisions that speak of it", n: 1 }, { name: "verdict" }],
        p.policies.map((q) => [q.policy, q.value === undefined ? "–" : number(q.value * scale, 2),
          q.value === undefined ? "–" : number(q.difference * scale, 2),
          q.value === undefined || q.verdict === "reference" ? "–" : number(q.difference_low * scale, 2) + " to " + number(q.difference_high * scale, 2),
          percent(q.treated),
          q.support ? number(q.support.effective, 0) : "–", readable(q.verdict)])),
      p.notes ? el("p", {}, p.notes) : null);
  }

  function decisionPart(d) {
    const caps = d.caps.filter((c) => c.used !== null && Number(c.used) > 0 && /budget/.test(c.kind)).slice(0, 9);
    const total = d.caps.find((c) => c.kind === "total_budget");
    section("What was decided", (d.campaign ? "Campaign " + d.campaign + ", as of " : "As of ") + day(d.at) + ": " + counted(d.candidates, "promotion") +
      " and " + counted(d.shoppers, "shopper") + ". Nobody gets one that is expected to cost more than it brings.",
      cards([number(d.messages, 0), "to send, to " + counted(d.treated, "shopper")],
        [number(d.held_out, 0), "held out at random, to measure against"],
        [money(d.cost), d.budgets === "hard" ? "the most it can cost" : "expected cost, redemptions included"],
        [money(d.gain), gainWords(d) + between(d.gain_low, d.gain_high)],
        [money(d.value), "net: gain less cost" + (d.fatigue ? " and the harm of one message more, " + money(d.fatigue) : "") + between(d.value_low, d.value_high)]),
      d.gain_words ? el("p", {}, d.gain_words) : null,
      caps.length ? figure("Spending against budget", total && total.shadow_price > 0
        ? "The total budget binds: one more " + d.currency + " would bring " + number(total.shadow_price, 2) + " beyond its cost."
        : "The total budget does not bind: with the other budgets as they are, more of it would buy nothing.", plotBudgets(caps)) : null);
    nextUnitPart(d);
    root.append(
      el("h2", {}, "Some shoppers"), el("p", {}, "What each reads, and why; or why nothing was best."),
      el("div", { class: "decisions" }, d.sample.map(decisionCard)),
      el("h2", {}, "Why not"), el("p", {}, "Every pair of shopper and promotion has a reason."),
      table([{ name: "reason" }, { name: "pairs", n: 1 }],
        d.reasons.slice().sort((a, b) => b.pairs - a.pairs).map((r) => [readable(r.code), number(r.pairs, 0)])));
  }

  function honestPart() {
    const single = data.evaluation && data.evaluation.promotions;
    const lots = (data.policies && data.policies.basis === "by lot") ||
      (data.decided && data.decided.gain_basis === "by_lot");
    section("What this does not show", "Read before deciding anything with these figures.",
      el("div", { class: "honest" }, el("ul", {},
        lots ? null : el("li", {}, "Who was mailed in the past was the shop's choice, not drawn by lot. So " +
          (data.experiment ? "only the part “What it changed” says what promotions caused; nothing else on this page does. Shoppers likely to redeem may be those who would have bought anyway."
            : "nothing on this page says that a promotion caused a purchase. Shoppers likely to redeem may be those who would have bought anyway; only the shoppers held out from now on can tell.")),
        el("li", {}, (data.decided && data.decided.gain_counts === "uplift"
          ? "Gain is what promotions are expected to add, "
          : "Gain is the margin of all expected redemptions, not an increase over doing nothing, ") +
          "under the assumptions of proffer.yaml (margin rate, cost of a message, worth of a coupon)."),
        data.evaluation && data.evaluation.any ? el("li", {}, "Campaigns that end after the last day of the data have some of their redemptions cut off; predictions and baselines are both held to what had time to happen.") : null,
        single && typeof single.sum_p_over_sum_y === "number" ? el("li", {}, "Deciding multiplies money with the chance of single promotions. Over the test campaigns these chances added up to " +
          number(single.sum_p_over_sum_y, 2) + " for each real redemption, so expected redemptions and their cost may be off by about as much.") : null,
        el("li", {}, "What a promotion is worth comes from the shop's files, also where the shop could know it only later; it is used for costs and words, never for predictions."),
        el("li", {}, "The figures hold for shoppers like these and weeks like these."))));
  }

  head();
  if (data.evaluation) evaluationPart(data.evaluation);
  if (data.policies) policiesPart(data.policies);
  if (data.decided) decisionPart(data.decided);
  if (data.experiment)
    window.reportExperiment(data.experiment, { el, number, percent, day, counted, section, table, colour });
  if (!data.evaluation) section("Not evaluated yet", "proffer evaluate judges predictions on weeks the models had not seen.");
  if (!data.decided) section("Nothing decided yet", "proffer decide chooses who gets which promotion.");
  honestPart();
  root.append(el("footer", {}, "Made by Proffer " + data.workspace.version + " on " + day(data.made_at) + " at " + data.made_at.slice(11, 16) + "\u00a0UTC" +
    ". Plots by Chart.js (MIT). The same figures as JSON: proffer evaluate --json, proffer export --decisions."));
  queue.forEach((draw) => draw());
  /* Canvases keep the colours they were drawn in. */
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
})();
