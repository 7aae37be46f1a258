'use strict';
// The page of a vulnlens server. Texts of users and of answers are put into the page as text alone, never as HTML.

const $ = (id) => document.getElementById(id);
let answer = null;      // the last answer, with evidence
let asked = '';         // its text
let matrix = null;      // tactics with their techniques
let records = [];       // answers of the batch
let lines = [];         // the same as they came
let knowsCves = false;  // whether the server has texts of CVEs
let cve = null;         // the last record that was looked up
let reviews = [];       // verdicts on mapped weaknesses
let verdict = null;     // the one that is shown alone
const stoppers = { batch: null, compare: null };  // of the work that each tab does

const node = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};
const percent = (score) => (score > 0 && score < 0.0005 ? '<0.1' : (100 * score).toFixed(1)) + ' %';
const least = () => Number($('threshold').value) / 100;
const plural = (count, word) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

const page = (id) => {
  const number = id.replace(/^[A-Z]+-?/, '');
  if (id.startsWith('CWE-')) return `https://cwe.mitre.org/data/definitions/${number}.html`;
  if (id.startsWith('CAPEC-')) return `https://capec.mitre.org/data/definitions/${number}.html`;
  if (id.startsWith('CVE-')) return `https://www.cve.org/CVERecord?id=${id}`;
  if (/^T\d{4}/.test(id)) return `https://attack.mitre.org/techniques/${id.replace('.', '/')}/`;
  return null;
};
const link = (id) => {
  const address = page(id);
  return address ? node('a', { href: address, rel: 'noreferrer noopener', target: '_blank' }, id) : document.createTextNode(id);
};

const headers = (kind) => {
  const key = $('key').value.trim();
  return key ? { 'Content-Type': kind, Authorization: `Bearer ${key}` } : { 'Content-Type': kind };
};

async function failure(response) {
  if (response.status === 401) $('key-field').hidden = false;
  try {
    const { error, hint } = await response.json();
    return new Error(hint ? `${error} (${hint})` : error);
  } catch {
    return new Error(`the server answered ${response.status}`);
  }
}

async function fetched(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw await failure(response);
  return response;
}

function say(id, text, isError = false) {
  $(id).textContent = text;
  $(id).classList.toggle('error', isError);
}

// ---- one text

// A CVE's id alone is exchanged for its text, where the server has texts.
async function looked_up(text) {
  const id = text.trim().toUpperCase();
  if (!knowsCves || !/^CVE-\d{4}-\d{4,7}$/.test(id)) return text;
  const record = await (await fetched(`/v1/records/${id}`, { headers: headers('application/json') })).json();
  $('text').value = record.text;
  cve = record;
  return record.text;
}

async function classify() {
  let text = $('text').value;
  if (!text.trim()) {
    say('status', 'There is no text yet.', true);
    $('text').focus();
    return;
  }
  say('status', 'Classifying …');
  try {
    text = await looked_up(text);
    // The year of a CVE's record counts.
    const what = cve && cve.text === text ? { records: [cve] } : { text };
    const body = { ...what, options: { model: $('model').value, threshold: 0.01, severity: true } };
    const response = await fetched('/v1/explain', { method: 'POST', headers: headers('application/json'), body: JSON.stringify(body) });
    answer = await response.json();
    if (answer.records) [answer] = answer.records;
    asked = text;
    show();
    say('status', `${answer.id ? `${answer.id}, answered` : 'Answered'} by ${answer.model} ${answer.model_revision}.`);
    $('said').scrollIntoView({ block: 'nearest' });
  } catch (error) {
    $('answer').hidden = true;
    say('status', `Not answered: ${error.message}`, true);
  }
}

function bar(score) {
  const fill = node('span');
  fill.style.width = `${Math.round(100 * score)}%`;
  return node('div', { class: 'bar', 'aria-hidden': 'true' }, fill);
}

function labels(list, none, beside, below) {
  const shown = list.filter((label) => label.predicted || label.score >= least());
  if (!shown.length) return node('p', { class: 'hint' }, none);
  return node('ul', { class: 'labels' }, ...shown.map((label) => node('li', {},
    node('div', { class: 'label' },
      node('span', { class: 'tick' }, label.predicted ? '✓' : '', label.predicted ? node('span', { class: 'skip' }, 'answer') : null),
      node('span', { class: 'percent' }, percent(label.score)),
      bar(label.score),
      node('span', {}, link(label.label)),
      node('span', { class: 'name' }, label.name || ''),
      node('span', { class: 'tag' }, beside(label) || '')),
    below ? below(label) : null)));
}

function whyCurated(label) {
  const reasons = (answer.curated || []).find((reason) => reason.label === label.label);
  if (!reasons) return null;
  const hundredths = (weight) => (weight >= 0 ? '+' : '−') + Math.abs(100 * weight).toFixed(0);
  const seen = (reason) => Math.abs(reason.weight) >= 0.005;
  const rows = [
    ...reasons.rules.filter(seen).slice(0, 4).map((rule) => [rule.weight, `${rule.rule}: a rule of CTID's method${rule.names_it ? ', which names this technique for it' : ''}`]),
    ...reasons.weaknesses.filter(seen).slice(0, 4).map((weakness) => [weakness.weight, `${weakness.label} at ${percent(weakness.score)}`]),
  ];
  const heavy = [...reasons.words].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 6).map((word) => word.text);
  if (heavy.length) rows.push([reasons.words.reduce((sum, word) => sum + word.weight, 0), `the words: ${[...new Set(heavy)].join(', ')}`]);
  rows.push([reasons.base + reasons.year, 'how often analysts assign it, and the year']);
  const table = node('table', {}, node('caption', { class: 'skip' }, 'Reasons in hundredths of the score'),
    node('tbody', {}, ...rows.map(([weight, why]) => node('tr', {}, node('td', {}, hundredths(weight)), node('td', {}, why)))));
  const near = reasons.nearest.flatMap((cve) => [
    node('p', {}, link(cve.cve), `, ${cve.similarity.toFixed(2)} alike: ${cve.techniques[0].role} (${cve.techniques[0].project})`),
    ...cve.techniques.filter((pair) => pair.reason).map((pair) => node('blockquote', {}, pair.reason)),
  ]);
  return node('details', { class: 'why' }, node('summary', {}, 'Why'), table, near.length ? node('p', { class: 'hint' }, 'Mapped CVEs with a text like it') : null, ...near);
}

function way(entries) {
  const ns = 'http://www.w3.org/2000/svg';
  const made = (tag, attributes, text) => {
    const element = document.createElementNS(ns, tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    if (text) element.textContent = text;
    return element;
  };
  const width = 92, gap = 26, height = 28;
  const svg = made('svg', { class: 'way', role: 'img', 'aria-label': entries.join(', then '), width: entries.length * (width + gap), height: height + 4, viewBox: `0 0 ${entries.length * (width + gap)} ${height + 4}` });
  entries.forEach((entry, place) => {
    const x = place * (width + gap) + 1;
    svg.append(made('rect', { x, y: 2, width, height, rx: 5 }), made('text', { x: x + width / 2, y: 2 + height / 2 + 4, 'text-anchor': 'middle' }, entry));
    if (place + 1 < entries.length) svg.append(made('path', { d: `M${x + width + 3} ${2 + height / 2}h${gap - 8}m-5 -4l5 4l-5 4` }));
  });
  return svg;
}

function highlighted() {
  const bytes = new TextEncoder().encode(asked);
  const decoder = new TextDecoder();
  const most = Math.max(0.01, ...answer.words.map((word) => Math.abs(word.weight)));
  const parts = [];
  let at = 0;
  for (const word of answer.words) {
    const share = word.weight / most;
    if (Math.abs(share) < 0.15 || word.start < at) continue;
    parts.push(decoder.decode(bytes.slice(at, word.start)));
    const about = `${word.weight > 0 ? 'speaks for it' : 'speaks against it'}: ${word.weight.toFixed(2)}`;
    parts.push(node('mark', { class: share > 0 ? 'strong' : 'light', title: about }, decoder.decode(bytes.slice(word.start, word.end))));
    at = word.end;
  }
  parts.push(decoder.decode(bytes.slice(at)));
  return parts;
}

function show() {
  $('answer').hidden = false;
  const tells = ['weaknesses', undefined].includes(answer.outcome);
  $('said').textContent = answer.said || 'The labels that the model gives.';
  $('said').hidden = tells && !answer.said;
  const severity = answer.severity;
  $('severity').hidden = !severity;
  if (severity) $('severity').textContent = `Severity by the text alone, a guess: ${severity.severity} ${severity.score.toFixed(1)} (${percent(severity.confidence)}), ${severity.vector}`;
  const family = answer.family;
  const familyLine = family ? node('p', {}, 'Family: ', link(family.label), ` ${family.name}, ${percent(family.score)}. Choose a member after reading the advisory.`) : null;
  const weaknesses = labels(family ? [...family.members, ...answer.cwe.filter((label) => label.label !== family.label && !family.members.some((member) => member.label === label.label))] : answer.cwe, 'No weakness is likely enough to be listed.', (label) => label.basis === 'catalogue' ? "known from CWE's own words" : '');
  $('cwe').replaceChildren(...[familyLine, weaknesses].filter(Boolean));
  $('curated').replaceChildren(labels(answer.attack_curated, 'None is likely enough to be listed.', (label) => label.basis === 'similarity' ? 'by its description' : label.role, whyCurated));
  const via = (label) => label.via ? `${label.via.join(' › ')}${label.distance ? `, inherited` : ''}` : '';
  $('capec').replaceChildren(labels(answer.capec, 'None.', via));
  $('attack').replaceChildren(labels(answer.attack, 'None.', via));
  const ways = answer.attack.filter((label) => label.via).slice(0, 8).map((label) => way([...label.via, label.label]));
  $('ways').replaceChildren(...(ways.length ? ways : [node('p', { class: 'hint' }, 'None.')]));
  const explained = answer.explained;
  // Words that carry next to nothing are no reasons.
  $('words').closest('section').hidden = !explained || explained.score < 0.01;
  $('words-about').textContent = explained ? `For ${explained.label}. Without the ${answer.without.words} that speak most for it: ${percent(answer.without.score)} where it was ${percent(explained.score)}.` : '';
  $('words').replaceChildren(...highlighted());
  if ($('matrix-details').open) showMatrix();
}

async function showMatrix() {
  try {
    matrix = matrix || await (await fetched('/v1/matrix', { headers: headers('application/json') })).json();
  } catch (error) {
    $('matrix').replaceChildren(node('p', {}, error.message));
    return;
  }
  const scores = new Map();
  for (const label of answer.attack_curated) {
    const parent = label.label.split('.')[0];
    if (label.score >= least()) scores.set(parent, Math.max(label.score, scores.get(parent) || 0));
  }
  const heat = getComputedStyle(document.documentElement).getPropertyValue('--heat');
  const cell = (technique) => {
    const score = scores.get(technique.id);
    const made = node('li', { class: score ? 'cell hot' : 'cell' }, technique.name, score ? ` ${percent(score)}` : '');
    if (score) made.style.background = `rgba(${heat}, ${(0.08 + 0.3 * score).toFixed(2)})`;
    return made;
  };
  const hot = (tactic) => tactic.techniques.filter((technique) => scores.has(technique.id)).sort((a, b) => scores.get(b.id) - scores.get(a.id));
  const columns = matrix.tactics.map((tactic) => {
    const first = hot(tactic);
    const rest = tactic.techniques.length - first.length;
    return node('div', {}, node('h3', {}, tactic.name), node('ul', {}, ...first.map(cell), node('li', { class: 'tag' }, `${rest} not likely`)));
  });
  $('matrix').replaceChildren(node('div', { class: 'matrix' }, ...columns));
}

function save(bytes, name, kind) {
  const address = URL.createObjectURL(new Blob([bytes], { type: kind }));
  const anchor = node('a', { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const ENDINGS = { jsonl: 'json', csv: 'csv', parquet: 'parquet', navigator: 'json', stix: 'json', misp: 'json', sarif: 'sarif', ocsf: 'json', markdown: 'md' };

async function download(format) {
  try {
    const query = new URLSearchParams({ format, model: $('model').value, threshold: String(least()) });
    const body = JSON.stringify({ description: asked }) + '\n';
    const response = await fetched(`/v1/classify?${query}`, { method: 'POST', headers: headers('application/x-ndjson'), body });
    save(await response.arrayBuffer(), `vulnlens-${format}.${ENDINGS[format]}`, response.headers.get('Content-Type'));
    say('status', `Saved as ${format}.`);
  } catch (error) {
    say('status', `Not saved: ${error.message}`, true);
  }
}

function asText() {
  const line = (label) => `${label.predicted ? '✓' : ' '} ${percent(label.score).padStart(7)}  ${label.label}  ${label.name}`;
  const part = (title, list) => [title, ...list.filter((label) => label.predicted || label.score >= least()).map(line), ''];
  return [answer.said, '', ...part('Weaknesses', answer.cwe), ...part('Techniques that analysts assign', answer.attack_curated)].join('\n');
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say('status', `${what} copied.`);
  } catch {
    say('status', `The browser does not let the page copy; here it is: ${text}`);
  }
}

function state() {
  const fragment = new URLSearchParams({ text: asked || $('text').value, model: $('model').value, least: $('threshold').value });
  return `${location.origin}${location.pathname}#${fragment}`;
}

// ---- many records

async function batch(file) {
  records = [];
  lines = [];
  stoppers.batch = new AbortController();
  $('batch-stop').disabled = false;
  $('batch-exports').hidden = true;
  $('batch-progress').hidden = false;
  $('batch-progress').removeAttribute('value');
  say('batch-status', `Reading ${file.name} …`);
  const query = new URLSearchParams({ model: $('model').value, threshold: String(least()) });
  const outcome = await streamed(`/v1/classify?${query}`, file, 'application/octet-stream', stoppers.batch.signal, (record, line) => {
    records.push(record);
    lines.push(line);
  }, () => say('batch-status', `${plural(records.length, 'record')} …`));
  say('batch-status', ending(outcome, `${plural(records.length, 'record')} classified`, 'classified'), outcome.isError || (outcome.failed > 0 && !records.length));
  stoppers.batch = null;
  $('batch-stop').disabled = true;
  $('batch-progress').hidden = true;
  $('batch-exports').hidden = !records.length;
  table();
}

// Posts a body and hands on each line of the answer while it comes; tells how it ended.
async function streamed(path, body, kind, signal, each, after) {
  const outcome = { failed: 0, firstError: '', stopped: false, isError: false, message: '' };
  const take = (line) => {
    if (!line.trim()) return;
    const record = JSON.parse(line);
    if (record.error) {
      outcome.failed += 1;
      outcome.firstError = outcome.firstError || record.error;
    } else {
      each(record, line);
    }
  };
  try {
    const response = await fetched(path, { method: 'POST', headers: headers(kind), body, signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const whole = (rest + value).split('\n');
      rest = whole.pop();
      whole.forEach(take);
      after();
    }
    take(rest);
  } catch (error) {
    outcome.stopped = error.name === 'AbortError';
    outcome.isError = !outcome.stopped;
    outcome.message = error.message;
  }
  return outcome;
}

function ending(outcome, done, verb) {
  if (outcome.isError) return `Not ${verb}: ${outcome.message}`;
  const bad = outcome.failed ? `; ${plural(outcome.failed, 'record')} could not be read, the first: ${outcome.firstError}` : '';
  return `${done}${outcome.stopped ? ' before it was stopped' : ''}${bad}.`;
}

const COLUMNS = [
  ['Record', (record) => record.id || (record.line ? `#${record.line}` : '')],
  ['Weakness', (record) => (record.cwe[0] ? `${record.cwe[0].predicted ? '✓ ' : ''}${record.cwe[0].label} ${record.cwe[0].name}` : record.said || '')],
  ['Probability', (record) => (record.cwe[0] ? record.cwe[0].score : 0)],
  ['Technique that analysts assign', (record) => (record.attack_curated[0] ? `${record.attack_curated[0].predicted ? '✓ ' : ''}${record.attack_curated[0].label} ${record.attack_curated[0].name}` : '')],
  ['Answer', (record) => record.outcome || ''],
];
const SHOWN = 500;
let sorted = { column: -1, down: false };

function table() {
  if (!records.length) {
    $('batch-table').replaceChildren();
    return;
  }
  const rows = [...records];
  if (sorted.column >= 0) {
    const key = COLUMNS[sorted.column][1];
    rows.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = typeof x === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
      return sorted.down ? -order : order;
    });
  }
  const head = COLUMNS.map(([name], column) => {
    const order = sorted.column === column ? (sorted.down ? 'descending' : 'ascending') : 'none';
    const button = node('button', { type: 'button' }, name, order === 'none' ? '' : sorted.down ? ' ↓' : ' ↑');
    button.addEventListener('click', () => {
      sorted = { column, down: sorted.column === column ? !sorted.down : column === 2 };
      table();
    });
    return node('th', { scope: 'col', 'aria-sort': order }, button);
  });
  const cell = (record, [name, key]) => node('td', {}, name === 'Probability' ? (record.cwe[0] ? percent(key(record)) : '') : key(record));
  const body = rows.slice(0, SHOWN).map((record) => node('tr', {}, ...COLUMNS.map((column) => cell(record, column))));
  const more = rows.length > SHOWN ? node('p', { class: 'hint' }, `The first ${SHOWN} of ${rows.length.toLocaleString('en')} are shown; downloads have all.`) : null;
  $('batch-table').replaceChildren(...[node('table', { class: 'answers' }, node('thead', {}, node('tr', {}, ...head)), node('tbody', {}, ...body)), more].filter(Boolean));
}

function csv() {
  // A cell that a spreadsheet would take for a formula gets a ' in front.
  const cell = (value) => {
    const text = String(value);
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const rows = [['id', 'task', 'label', 'score', 'predicted']];
  for (const record of records) {
    for (const task of ['cwe', 'capec', 'attack', 'attack_curated']) {
      record[task].forEach((label) => rows.push([record.id || `#${record.line || ''}`, task, label.label, label.score, label.predicted]));
    }
  }
  return rows.map((row) => row.map(cell).join(',')).join('\r\n');
}

// ---- mapped against suggested

const VERDICTS = { discouraged: 'not to be mapped to', differs: 'differs', sibling: 'a sibling', 'less-specific': 'less specific', 'more-specific': 'more specific', unsure: 'unsure', agree: 'agrees' };

async function compare(body, kind) {
  reviews = [];
  verdict = null;
  stoppers.compare = new AbortController();
  $('compare-stop').disabled = false;
  say('compare-status', 'Comparing …');
  const query = new URLSearchParams({ model: $('model').value });
  const outcome = await streamed(`/v1/review?${query}`, body, kind, stoppers.compare.signal, (review) => reviews.push(review),
    () => say('compare-status', `${plural(reviews.length, 'record')} …`));
  const unmapped = !outcome.isError && !outcome.failed && !reviews.length;
  say('compare-status', unmapped ? 'No record carries a weakness to compare with.' : ending(outcome, `${plural(reviews.length, 'record')} compared`, 'compared'), outcome.isError || unmapped || (outcome.failed > 0 && !reviews.length));
  stoppers.compare = null;
  $('compare-stop').disabled = true;
  $('compare-exports').hidden = !reviews.length;
  showReviews();
}

function showReviews() {
  const counts = new Map();
  reviews.forEach((review) => counts.set(review.verdict, (counts.get(review.verdict) || 0) + 1));
  const known = Object.keys(VERDICTS).filter((name) => counts.has(name));
  const choose = (name, text) => {
    const button = node('button', { type: 'button', 'aria-pressed': String(verdict === name) }, text);
    button.addEventListener('click', () => { verdict = name; showReviews(); });
    return button;
  };
  $('compare-verdicts').hidden = known.length < 2;
  $('compare-verdicts').replaceChildren(choose(null, `all ${reviews.length.toLocaleString('en')}`), ...known.map((name) => choose(name, `${VERDICTS[name]} ${counts.get(name).toLocaleString('en')}`)));
  const chosen = reviews.filter((review) => verdict === null || review.verdict === verdict);
  if (!chosen.length) {
    $('compare-table').replaceChildren();
    return;
  }
  const entries = (list, beside) => node('ul', { class: 'plain' }, ...list.map((entry) => node('li', {}, link(entry.cwe), ` ${entry.name || ''}`, beside(entry))));
  const mapped = (entry) => node('span', { class: 'tag' }, ` ${entry.assigner || ''}${entry.usage && entry.usage !== 'Allowed' ? `, mapping ${entry.usage.toLowerCase()}` : ''}`);
  const suggested = (entry) => node('span', { class: 'tag' }, ` ${entry.asserted ? '✓ ' : ''}${percent(entry.score)}`);
  const row = (review) => node('tr', { class: `verdict-${review.verdict}` },
    node('td', {}, review.id ? link(review.id) : review.line ? `#${review.line}` : ''),
    node('td', {}, entries(review.mapped, mapped)), node('td', {}, entries(review.suggested, suggested)),
    node('td', {}, node('strong', {}, VERDICTS[review.verdict] || review.verdict), review.rationale ? node('p', { class: 'hint' }, review.rationale) : null));
  const head = ['Record', 'Mapped', 'Suggested', 'Verdict'].map((name) => node('th', { scope: 'col' }, name));
  const more = chosen.length > SHOWN ? node('p', { class: 'hint' }, `The first ${SHOWN} of ${chosen.length.toLocaleString('en')} are shown; the download has all.`) : null;
  $('compare-table').replaceChildren(...[node('table', { class: 'answers' }, node('thead', {}, node('tr', {}, ...head)), node('tbody', {}, ...chosen.slice(0, SHOWN).map(row))), more].filter(Boolean));
}

// ---- files, tabs, start

async function open(file) {
  if (!$('panel-compare').hidden) {
    await compare(file, 'application/octet-stream');
    return;
  }
  const isText = file.size < 64 * 1024 && /\.(txt|md)$/i.test(file.name);
  if (isText) {
    select('one');
    $('text').value = await file.text();
    await classify();
    return;
  }
  select('batch');
  await batch(file);
}

const TABS = ['one', 'batch', 'compare'];

function select(name) {
  for (const other of TABS) {
    const chosen = other === name;
    $(`tab-${other}`).setAttribute('aria-selected', String(chosen));
    $(`tab-${other}`).tabIndex = chosen ? 0 : -1;
    $(`panel-${other}`).hidden = !chosen;
  }
}

async function start() {
  for (const [place, name] of TABS.entries()) {
    $(`tab-${name}`).addEventListener('click', () => select(name));
    $(`tab-${name}`).addEventListener('keydown', (event) => {
      const steps = { ArrowLeft: TABS.length - 1, ArrowRight: 1 }[event.key];
      if (!steps) return;
      const other = TABS[(place + steps) % TABS.length];
      select(other);
      $(`tab-${other}`).focus();
    });
  }
  $('options').addEventListener('submit', (event) => event.preventDefault());
  $('form').addEventListener('submit', (event) => { event.preventDefault(); classify(); });
  $('text').addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) classify(); });
  $('file').addEventListener('change', () => { const [file] = $('file').files; if (file) open(file); });
  $('threshold').addEventListener('input', () => { $('threshold-value').textContent = `${$('threshold').value} %`; if (answer) show(); });
  $('matrix-details').addEventListener('toggle', () => { if ($('matrix-details').open && answer) showMatrix(); });
  for (const button of document.querySelectorAll('[data-format]')) button.addEventListener('click', () => download(button.dataset.format));
  $('copy').addEventListener('click', () => copy(asText(), 'The answer is'));
  $('link').addEventListener('click', () => copy(state(), 'The link is'));
  $('batch-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const [file] = $('batch-file').files;
    if (file) batch(file); else say('batch-status', 'Choose a file first.', true);
  });
  $('batch-stop').addEventListener('click', () => { if (stoppers.batch) stoppers.batch.abort(); });
  $('compare-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const [file] = $('compare-file').files;
    const text = $('compare-text').value.trim();
    const cwe = $('compare-cwe').value.match(/\d+/g) || [];
    if (text && cwe.length) compare(JSON.stringify({ description: text, cwe: cwe.map((number) => `CWE-${number}`) }) + '\n', 'application/x-ndjson');
    else if (file) compare(file, 'application/octet-stream');
    else say('compare-status', 'A text and the weaknesses that it is mapped to, or a file, is needed.', true);
  });
  $('compare-file').addEventListener('change', () => { const [file] = $('compare-file').files; if (file) compare(file, 'application/octet-stream'); });
  $('compare-stop').addEventListener('click', () => { if (stoppers.compare) stoppers.compare.abort(); });
  document.querySelector('[data-compare]').addEventListener('click', () => save(reviews.map((review) => JSON.stringify(review)).join('\n') + '\n', 'vulnlens-review.jsonl', 'application/x-ndjson'));
  for (const button of document.querySelectorAll('[data-batch]')) {
    button.addEventListener('click', () => button.dataset.batch === 'csv' ? save(csv(), 'vulnlens.csv', 'text/csv') : save(lines.join('\n') + '\n', 'vulnlens.jsonl', 'application/x-ndjson'));
  }
  document.addEventListener('dragover', (event) => { event.preventDefault(); document.body.classList.add('drop'); });
  document.addEventListener('dragleave', () => document.body.classList.remove('drop'));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('drop');
    const [file] = event.dataTransfer.files;
    if (file) open(file);
  });
  try {
    const { models, version, taxonomies, knows_cves: known } = await (await fetched('/v1/models', { headers: headers('application/json') })).json();
    $('model').replaceChildren(...models.map((model) => node('option', { value: model.name, selected: model.default }, model.name)));
    knowsCves = known;
    if (known) $('text-label').textContent += '; or the id of a CVE';
    $('about').textContent = `vulnlens ${version}; CWE ${taxonomies.cwe}, CAPEC ${taxonomies.capec}, ATT&CK ${taxonomies.attack}. Percentages are probabilities by the text; nothing here was observed.`;
  } catch (error) {
    say('status', `The models are not known: ${error.message}`, true);
    $('key').addEventListener('change', start, { once: true });
  }
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.get('text')) {
    $('text').value = given.get('text');
    if (given.get('model')) $('model').value = given.get('model');
    if (given.get('least')) $('threshold').value = given.get('least');
    $('threshold-value').textContent = `${$('threshold').value} %`;
    await classify();
  }
}

start();
