// Builds the talk: one HTML file that needs nothing else. node build.mjs [--print] [OUT]
// --print makes a page without scripts instead, a sheet for each slide and each Python
// program. A PDF is printed from it.

import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { blocks, escape, highlight, inline, looksLikeCpp } from './markup.mjs';
import { maxColumns, maxLines, quote, steps } from './source.mjs';
import { readTalk } from './talk.mjs';

const here = dirname(fileURLToPath(import.meta.url));

// Returns the page of the talk in `folder`. Code, pictures and links are those of `root`; links
// are relative to `out`. Throws with the slide and the reason when a slide does not hold.
export function build({ root = dirname(here), folder = join(here, 'talk'), out, print = false }) {
  const slides = readTalk(folder);
  const title = /^# (.*)/m.exec(slides[0].body)?.[1] ?? 'Slides';
  const sections = slides.map((slide) => {
    try {
      return section(slide, slides, root, print ? '' : out);
    } catch (error) {
      throw new Error(`${slide.file}: slide ${slide.id}: ${error.message}`);
    }
  });
  return (print ? sheets : page)(title, sections);
}

function section(slide, slides, root, out) {
  const use = {
    link: (link) => resolveLink(link, slides, root, out),
    picture: (file, alt) => picture(root, file, alt),
    fence: (info, body) => fence(info, body, root, use),
    columns: 0, // how many of them have begun
    shown: '', // the file of the code above
    program: slide.look === 'program', // it is shown whole
    paper: out === '',
    more: '', // sheets behind this one
  };
  const model = /^0[1-5]-/.test(slide.chapter) ? slide.chapter : 'sync-desert';
  const look = `accent-${slide.chapter.slice(0, 2)} ${slide.look}`.trim();
  const timing = `data-timing="${Math.round(slide.minutes * 60)}"`;
  const morph = slide.morph ? ' data-auto-animate' : '';
  const shown = blocks(slide.body, use);
  const more = use.more && `\n<section class="${look}" data-chapter="${model}">${use.more}</section>`;
  return `<section id="${slide.id}" class="${look}" data-chapter="${model}" ${timing}${morph}>
${shown}
<aside class="notes">${notes(slide, use)}</aside>
</section>${more}`;
}

function notes(slide, use) {
  const fate = slide.drop ? 'can be dropped' : 'keep';
  const run = slide.run
    ? `<p><b>Run:</b> ${inline(slide.run, use)}</p>` +
      `<p><b>If that fails:</b> ${inline(slide.otherwise, use)}</p>`
    : '';
  return `<p><b>${slide.minutes} min, ${fate}</b></p><p>${inline(slide.say, use)}</p>${run}`;
}

// --- Blocks ---

function fence(info, body, root, use) {
  const [kind, place, option] = info.split(/\s+/);
  if (kind === 'cpp') return code(place, body, root, use);
  if (kind === 'console') return terminal(place, body, root, option);
  if (kind === 'python' && place) return instead(place, body, root, use);
  if (kind === 'text' || kind === 'python' || kind === 'sh') return plain(kind, body);
  if (kind === 'live')
    return live(options(body.slice(0, 2), ['page', 'title']), body.slice(2), use);
  throw new Error(`a block of no known kind: "${info}"`);
}

// The body of a block as an object. Throws if a line is not an option, such as raw code.
function options(body, names) {
  return Object.fromEntries(
    body.map((line) => {
      const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
      if (!names.includes(name)) throw new Error(`raw C++, or no option: ${line}`);
      return [name, value.trim()];
    }),
  );
}

// Steps are fragments without a text: deck.js lights up their lines.
function code(place = '', body, root, use) {
  const its = options(body, ['from', 'to', 'comments', 'breaks', 'steps']);
  const lines = quote(root, place, { ...its, program: use.program });
  const style = use.program ? ` style="font-size: ${fitting(lines)}px"` : '';
  const all = its.steps ? steps(its.steps, lines.length) : [];
  const html = lines
    .map((line) => `<span class="line hljs-ln-code">${highlight(line, 'cpp')}\n</span>`)
    .join('');
  const marks = all.map(
    (step) => `<span class="fragment step" data-lines="${step.join(' ')}"></span>`,
  );
  const [file] = place.split('#');
  const label = file === use.shown ? '' : `<p class="place">${escape(file)}</p>`;
  use.shown = file;
  return (
    `<div class="code">${label}` +
    `<pre data-id="code"${style}><code class="hljs">${html}</code></pre>${marks.join('')}</div>`
  );
}

// The size of letters in which so many lines fill a slide, in height or in width.
function fitting(lines) {
  const columns = Math.max(...lines.map((line) => line.length));
  return Math.floor(Math.min(24, 590 / lines.length / 1.18, 1170 / columns / 0.603));
}

// The program in Python. It takes the place of the C++ in a step of its own: side by side, neither
// could be read from the last row. On paper, where there are no steps, it has a sheet of its own.
function instead(file, body, root, use) {
  if (!use.program || body.length) throw new Error('Python is shown whole, beside a program');
  const text = quote(root, file, { program: true });
  const lines = text.filter((line, i) => line || text[i - 1]); // one empty line in place of two
  const html = lines
    .map((line) => `<span class="line">${highlight(line, 'python')}\n</span>`)
    .join('');
  const all = `<pre style="font-size: ${fitting(lines)}px"><code class="hljs">${html}</code></pre>`;
  const title = `The same in Python: ${escape(file)}`;
  if (!use.paper)
    return `<div class="code instead fragment"><p class="place">${title}</p>${all}</div>`;
  use.more = `<h1>${title}</h1><div class="code">${all}</div>`;
  return '';
}

function plain(kind, body) {
  demandThatItFits(kind, body);
  return `<pre class="${kind}"><code>${escape(body.join('\n'))}\n</code></pre>`;
}

function demandThatItFits(kind, body) {
  if (looksLikeCpp(body.join('\n'))) throw new Error(`raw C++ in a block of ${kind}`);
  if (body.length > maxLines) throw new Error(`${body.length} lines, and ${maxLines} fit`);
  const wide = body.find((line) => line.length > maxColumns);
  if (wide) throw new Error(`${wide.length} columns, and ${maxColumns} fit: ${wide}`);
}

// What a terminal shows is what a README shows, where a test runs it: its lines, in that order. A
// command may be broken with a `\`. With `ask`, what the command prints comes in a step of its own.
function terminal(readme = '', body, root, option) {
  let text = readFileSync(join(root, readme), 'utf8');
  text = [...text.matchAll(/^```console\n([^]*?)^```$/gm)].map((match) => match[1]).join('');
  const there = text.split('\n');
  let at = 0;
  const joined = body.join('\n').replace(/ *\\\n */g, ' ');
  for (const line of joined.split('\n').filter((it) => it.trim())) {
    at = there.indexOf(line, at) + 1;
    if (at === 0) throw new Error(`${readme} has no such line in its console: ${line}`);
  }
  if (option !== 'ask') return plain('console', body);
  demandThatItFits('console', body);
  const [command, answer] = cutBehindCommand(body).map((lines) => escape(lines.join('\n')));
  return `<pre class="console"><code>${command}
<span class="answer fragment">${answer}
</span></code></pre>`;
}

function cutBehindCommand(body) {
  const end = body.findIndex((line) => !line.endsWith('\\')) + 1;
  if (!body[0]?.startsWith('$ ') || body.slice(end).every((line) => !line.trim()))
    throw new Error('a question without a command, or without an answer');
  return [body.slice(0, end), body.slice(end)];
}

// file.svg, or a part of one that shows several runs: file.svg#01-sync..02-threads are these runs of it, and
// file.svg#02-threads@520 is one, of which 520 units from the left are shown. Those with a width
// are all drawn to the same scale.
function picture(root, place, alt) {
  const [file, part] = place.split('#');
  let svg = readFileSync(join(root, file), 'utf8');
  let style = '';
  if (part) {
    const [, first, last = first, width] =
      /^([\w-]+?)(?:\.\.([\w-]+))?(?:@(\d+))?$/.exec(part) ?? [];
    if (!first) throw new Error(`not a part of a picture: ${part}`);
    svg = cut(svg, first, last, width);
    if (width) style = ` style="width: ${Math.round(width * 1.08)}px"`;
  }
  const data = Buffer.from(svg).toString('base64');
  return `<img alt="${escape(alt)}"${style} src="data:image/svg+xml;base64,${data}">`;
}

// The runs `first` to `last` of a waterfall; with the first of all comes the time scale above it.
function cut(svg, first, last, width) {
  const [root, full, high] = /<svg [^>]*viewBox='0 0 (\d+) (\d+)'[^>]*>/.exec(svg) ?? [];
  const names = [...svg.matchAll(/<text class='name[^>]* y='(\d+)'>([^<]*)<\/text>/g)].map(
    ([, y, name]) => ({ top: y - 22, name }),
  );
  const from = names.findIndex(({ name }) => name === first),
    to = names.findIndex(({ name }) => name === last);
  if (!root || from < 0 || to < from)
    throw new Error(`a picture without the runs ${first} to ${last}`);
  const top = from === 0 ? 0 : names[from].top,
    bottom = (names[to + 1]?.top ?? high - 30) - 18; // below the last of all is the legend
  const view = `viewBox='0 ${top} ${width ?? full} ${bottom - top}'`;
  return svg.replace(
    root,
    root.replace(/viewBox='[^']*'/, view).replace(/ (width|height)='[^']*'/g, ''),
  );
}

// A page of a server on this machine; while that does not answer, a picture.
function live({ page, title }, pictures, use) {
  const html = blocks(pictures.join('\n'), use);
  const data = `data-page="${escape(page)}" data-title="${escape(title)}"`;
  return `<div class="live" ${data}>${html}</div>`;
}

// On paper, where there is no `out`, links lead to sheets and into the web only.
function resolveLink(link, slides, root, out) {
  if (/^https:\/\//.test(link)) return link;
  if (link.startsWith('#')) {
    if (!slides.some((slide) => slide.id === link.slice(1))) throw new Error(`no slide ${link}`);
    return (out ? '#/' : '#') + link.slice(1);
  }
  readFileSync(join(root, link)); // throws when it is not there
  return out && relative(dirname(resolve(out)), join(root, link));
}

// --- The page ---

const read = (...path) => readFileSync(join(here, ...path), 'utf8');

export function page(title, sections) {
  const reveal = 'node_modules/reveal.js/dist';
  const script = (text) => `<script>${text.replaceAll('</script', '<\\/script')}</script>`;
  return `${head(title, read(reveal, 'reset.css') + read(reveal, 'reveal.css'))}
<main><div class="reveal"><div class="slides">
${sections.join('\n')}
</div></div></main>
${script(read(reveal, 'reveal.js'))}
${script(read(reveal, 'plugin/notes.js'))}
${script(read('deck.js'))}
</html>
`;
}

export function sheets(title, sections) {
  const style = `@page { size: 1280px 720px; margin: 0 }
    * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
    section { position: relative; break-after: page; overflow-x: clip }
    section:last-child { break-after: auto }
    .slides { counter-reset: sheet }
    section { counter-increment: sheet }
    section::before { content: counter(sheet); position: absolute; right: 64px; bottom: 14px;
      font: 18px var(--mono); color: var(--dim) }
    .notes { display: none }`;
  return `${head(title, read('node_modules/reveal.js/dist/reset.css') + style)}
<main><div class="reveal"><div class="slides">
${sections.join('\n')}
</div></div></main>
</html>
`;
}

const head = (title, style) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}${read('theme.css')}</style>`;

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const { values, positionals } = parseArgs({
    options: { print: { type: 'boolean' } },
    allowPositionals: true,
  });
  const name = values.print ? 'print.html' : 'index.html';
  const out = resolve(positionals[0] ?? join(here, '../build/slides', name));
  try {
    const html = build({ out, print: values.print });
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, html);
    console.log(out);
  } catch (error) {
    console.error(`slides: ${error.message}`);
    process.exitCode = 1;
  }
}
