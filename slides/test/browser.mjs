// Looks at a built deck in Chromium, over file://, slide by slide and step by step.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export async function launch() {
  const known = names.map((name) => `/usr/bin/${name}`);
  const executablePath = [process.env.CHROMIUM, ...known].find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('no Chromium; $CHROMIUM may say where it is');
  const args = process.getuid() === 0 ? ['--no-sandbox'] : []; // which root cannot have
  return chromium.launch({ executablePath, args });
}

export async function open(browser, file, { query = '', width = 1280, height = 720 } = {}) {
  const context = await browser.newContext({ viewport: { width, height } });
  const page = await context.newPage();
  const seen = { console: [], requests: [] };
  page.on('console', (message) => {
    const at = message.location().url;
    if (message.type() === 'error') seen.console.push({ text: message.text(), at });
  });
  page.on('pageerror', (error) => seen.console.push({ text: error.message, at: '' }));
  context.on('request', (request) => seen.requests.push(request.url()));
  await page.goto(pathToFileURL(file).href + query);
  await page.waitForFunction(() => window.Reveal?.isReady());
  return { page, seen };
}

// What is wrong, as { check: ['slide: what', ...] }. Only on the slides of `live`, keys of it, may
// the page of the same name be asked for.
export async function inspect(browser, file, live = {}) {
  const { page, seen } = await open(browser, file);
  const problems = {
    canvas: [],
    scroll: [],
    heading: [],
    size: [],
    jump: [],
    console: [],
    requests: [],
    notes: [],
    links: [],
    axe: [],
  };
  await page.evaluate(axe);
  const first = new Map(); // where each slide's code was when the slide came
  const isLast = () =>
    Reveal.getSlidePastCount() + 1 === Reveal.getTotalSlides() && !Reveal.availableFragments().next;
  for (let slide, last = false; !last; last = await page.evaluate(isLast)) {
    if (slide) await page.evaluate(() => Reveal.next());
    if (live[slide]) {
      await page.waitForTimeout(300); // until we are told of what it asked for last
      seen.requests = seen.requests.filter((url) => !url.startsWith(live[slide]));
    }
    await page.evaluate(settled);
    slide = await page.evaluate(() => Reveal.getCurrentSlide().id);
    const add = (check, found) => problems[check].push(...found.map((it) => `${slide}: ${it}`));

    const layout = await page.evaluate(lookAtLayout);
    for (const check of ['canvas', 'scroll', 'heading', 'size']) add(check, layout[check]);
    if (!first.has(slide)) first.set(slide, layout.lines);
    if (first.get(slide) !== layout.lines) add('jump', ['its code is not where it was']);
    const { violations } = await page.evaluate(() =>
      window.axe.run(document, { resultTypes: ['violations'] }),
    );
    for (const { id, nodes } of violations)
      add(
        'axe',
        nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
      );

    const fine = (url) =>
      url.startsWith('data:') ||
      url.startsWith('blob:') ||
      url.startsWith(pathToFileURL(file).href) ||
      (live[slide] && url.startsWith(live[slide]));
    add(
      'requests',
      seen.requests.splice(0).filter((url) => !fine(url)),
    );
    const refused = ({ text, at }) =>
      text.includes('ERR_CONNECTION_REFUSED') && // perhaps later
      Object.values(live).some((url) => at.startsWith(url));
    add(
      'console',
      seen.console
        .splice(0)
        .filter((it) => !refused(it))
        .map((it) => it.text),
    );
  }
  const sources = await page.evaluate(lookAtSources);
  const ids = sources.map(({ id }) => id);
  for (const { id, notes, links } of sources) {
    if (!notes) problems.notes.push(`${id}: none`);
    problems.links.push(
      ...links.filter((link) => !resolves(link, file, ids)).map((link) => `${id}: ${link}`),
    );
  }
  await page.context().close();
  return { problems, slides: ids.length };
}

// Whether a link of `file` leads to a slide, a file, or out into the web, which is not asked.
function resolves(link, file, ids) {
  if (link.startsWith('https://')) return true;
  const url = new URL(link, pathToFileURL(file));
  if (url.protocol !== 'file:') return false;
  if (url.pathname === pathToFileURL(file).pathname)
    return ids.includes(url.hash.slice('#/'.length));
  return existsSync(fileURLToPath(url));
}

// --- In the page ---

// When transitions have ended.
async function settled() {
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}

function lookAtLayout() {
  const slide = Reveal.getCurrentSlide();
  const found = { canvas: [], scroll: [], heading: [], size: [] };
  const name = (element) =>
    `<${element.localName}> ${(element.textContent || element.alt || '').trim().slice(0, 40)}`;
  const footer = 690;
  const heading = slide.querySelector('h1');
  const over = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  if (!heading) found.heading.push('none');

  for (const element of slide.querySelectorAll('*')) {
    if (element.closest('aside.notes') || !element.checkVisibility({ visibilityProperty: true }))
      continue;
    const texts = [...element.childNodes].filter(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.trim(),
    );
    const boxes = texts.flatMap((text) => {
      // where the letters are, not the box around them
      const range = document.createRange();
      range.selectNodeContents(text);
      return [...range.getClientRects()];
    });
    if (!element.textContent.trim()) boxes.push(element.getBoundingClientRect());
    for (const box of boxes) {
      if (!box.width || !box.height) continue;
      if (box.left < -0.5 || box.top < -0.5 || box.right > 1240 || box.bottom > footer)
        found.canvas.push(
          `${name(element)} at ${Math.round(box.right)}, ${Math.round(box.bottom)}`,
        );
      if (
        heading &&
        !heading.contains(element) &&
        !element.contains(heading) &&
        over(box, heading.getBoundingClientRect())
      )
        found.heading.push(`covered by ${name(element)}`);
    }
    const { overflowX, overflowY, fontSize } = getComputedStyle(element);
    const scrolls =
      (overflowY !== 'visible' && element.scrollHeight > element.clientHeight + 1) ||
      (overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1);
    if (scrolls && element.clientHeight) found.scroll.push(name(element));
    const least = element.closest('.program') ? 18 : 24;
    if (element.localName === 'code' && parseFloat(fontSize) < least)
      found.size.push(`${name(element)}: ${fontSize}`);
  }
  if (heading) {
    const { left, top, height } = heading.getBoundingClientRect();
    const hit = document.elementFromPoint(left + 5, top + height / 2);
    if (hit !== heading && !heading.contains(hit))
      found.heading.push(`covered by ${hit ? name(hit) : 'the edge'}`);
  }
  found.lines = JSON.stringify(
    [...slide.querySelectorAll('.line')].map((line) => {
      const box = line.getBoundingClientRect();
      return [box.left, box.top].map(Math.round);
    }),
  );
  return found;
}

function lookAtSources() {
  return Reveal.getSlides().map((slide) => ({
    id: slide.id,
    notes: slide.querySelector('aside.notes')?.textContent.trim() ?? '',
    links: [...slide.querySelectorAll('a[href]')].map((a) => a.getAttribute('href')),
  }));
}
