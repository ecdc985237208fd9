// The talk holds; and what does not hold is seen: by the build, or by the look into the browser.

import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build, page, sheets } from '../build.mjs';
import { filled, mistakes, readExercises } from '../schedule.mjs';
import { minutes, readTalk } from '../talk.mjs';
import { inspect, launch, open } from './browser.mjs';

const slidesFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(slidesFolder);
const talk = readTalk(join(slidesFolder, 'talk'));
const scratch = mkdtempSync(join(tmpdir(), 'slides-test-'));
after(() => rmSync(scratch, { recursive: true }));

// --- The build ---

// Builds a talk of one slide with this body, in a root with these files. Returns the page.
function buildOne(body, files = {}, head = 'one | 1 | keep') {
  const folder = mkdtempSync(join(scratch, 'one-'));
  mkdirSync(join(folder, 'talk'));
  writeFileSync(
    join(folder, 'talk/01-sync.md'),
    body.startsWith('--- ')
      ? body
      : `--- ${head}\n# Title\n\n${body}\n\nNote:\nSay: this.\nRun: nothing\n`,
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return build({ root: folder, folder: join(folder, 'talk'), out: join(folder, 'index.html') });
}

const code = (options = '') => '```cpp a.cpp#it\n' + options + '```';
const source = (lines) => ({ 'a.cpp': `// #region it\n${lines}\n// #endregion it\n` });

describe('the build', () => {
  test('cuts the region out: no markers, no common indentation', () => {
    const html = buildOne(
      code(),
      source('    if (a)\n      // #region inner\n      b();\n      // #endregion inner'),
    );
    assert.match(html, /if<\/span> \(a\)\n/);
    assert.match(html, />  <[^>]*>b<\/span>\(\);\n/);
    assert.doesNotMatch(html, /#region/);
  });
  test('shows a part of it, without comments, broken where it is told to', () => {
    const wide = `  call(${'a'.repeat(40)}, of_${'b'.repeat(40)});  // why`;
    const html = buildOne(
      code('from: call\nto: call\ncomments: none\nbreaks: of_\n'),
      source(`int x;\n${wide}\nint y;`),
    );
    assert.match(html, />call<\/span>\(a{40},\n<\/span><[^>]*> {4}of_b{40}\);\n</);
    assert.doesNotMatch(html, /why|int<\/span> [xy]/);
  });
  test('shows a program whole, in letters that fit', () => {
    const sizes = [10, 27].map((count) => {
      const files = { 'a.cpp': 'int a;\n'.repeat(count) };
      const html = buildOne('```cpp a.cpp\n```', files, 'one | 1 | keep | program');
      assert.equal(html.match(/class="line/g).length, count);
      return +/<pre data-id="code" style="font-size: (\d+)px">/.exec(html)[1];
    });
    assert.deepEqual(sizes, [24, 18]);
  });
  test('refuses a program that does not fit', () => {
    const program = (line, count) => () =>
      buildOne(
        '```cpp a.cpp\n```',
        { 'a.cpp': `${line}\n`.repeat(count) },
        'one | 1 | keep | program',
      );
    assert.throws(program('int a;', 28), /28 lines, and 27 fit/);
    assert.throws(program('a'.repeat(91), 1), /91 columns, and 90 fit/);
  });
  test('shows a picture in a step of its own', () => {
    const html = buildOne('![one](a.svg)\n+![two](a.svg)', { 'a.svg': '<svg/>' });
    assert.match(html, /<img alt="one" [^>]*><img class="fragment" alt="two" [^>]*><\/div>/);
  });
  const readme = '```console\n$ ls a b\none\ntwo\n```\n';
  test('asks: shows the command, and what it prints in a step of its own', () => {
    const html = buildOne('```console R.md ask\n$ ls \\\n    a b\none\ntwo\n```\n\n+ Well.', {
      'R.md': readme,
    });
    assert.match(html, /<code>\$ ls \\\n    a b\n<span class="answer fragment">one\ntwo\n<\/span>/);
    assert.match(html, /<p class="fragment">Well\.<\/p>/);
  });
  test('shows a program in Python whole, in a step in place of the C++', () => {
    const files = { 'a.cpp': 'int a;\n', 'a.py': 'def a():  # a\n    pass\n\n\na()\n' };
    const html = buildOne(
      '```cpp a.cpp\n```\n\n```python a.py\n```',
      files,
      'one | 1 | keep | program',
    );
    assert.match(html, /<div class="code instead fragment">.*a\.py/);
    assert.match(html, /keyword">def<\/span> <[^>]*>a<\/span>\(\): .*comment"># a<\/span>/);
    assert.equal(html.match(/<span class="line">/g).length, 4); // one empty line in place of two
  });
  const refused = [
    [
      'an answer that the README does not have',
      '```console R.md ask\n$ ls a b\nthree\n```',
      { 'R.md': readme },
      /no such line in its console: three/,
    ],
    [
      'a command that the README does not have',
      '```console R.md ask\n$ ls \\\n  b\none\n```',
      { 'R.md': readme },
      /no such line in its console: \$ ls b/,
    ],
    [
      'a question without an answer',
      '```console R.md ask\n$ ls a b\n```',
      { 'R.md': readme },
      /without an answer/,
    ],
    [
      'an answer without a question',
      '```console R.md ask\none\ntwo\n```',
      { 'R.md': readme },
      /without a command/,
    ],
    ['Python that is not there', '```python a.py\n```', {}, /whole, beside a program|a\.py/],
    ['a piece of Python', '```python a.py\na()\n```', { 'a.py': 'a()' }, /shown whole/],
    [
      'a region that is not there',
      '```cpp a.cpp#other\n```',
      source('a();'),
      /region other starts 0 times/,
    ],
    [
      'a region that is there twice',
      code(),
      { 'a.cpp': source('a();')['a.cpp'].repeat(2) },
      /starts 2 times/,
    ],
    ['a region without end', code(), { 'a.cpp': '// #region it\na();\n' }, /ends 0 times/],
    ['a file that is not there', '```cpp b.cpp#it\n```', source('a();'), /b\.cpp/],
    ['a step past the end', code('steps: 1 | 3\n'), source('a();\nb();'), /a step at line 3 of 2/],
    ['a step at line 0', code('steps: 0\n'), source('a();'), /a step at line 0/],
    ['a step that is no number', code('steps: all\n'), source('a();'), /not a range/],
    ['16 lines', code(), source(Array(16).fill('a();').join('\n')), /16 lines, and 15 fit/],
    ['73 columns', code(), source('a'.repeat(73)), /73 columns, and 72 fit/],
    ['73 columns in a drawing', '```text\n' + 'a'.repeat(73) + '\n```', {}, /73 columns/],
    ['raw C++ in a cpp block', code('return 1;\n'), source('a();'), /raw C\+\+/],
    ['C++ that is no region at all', '```cpp\nreturn 1;\n```', {}, /raw C\+\+/],
    ['C++ in a block of text', '```text\nint main() {\n```', {}, /raw C\+\+/],
    ['C++ in a paragraph', 'Write `fetch(url);` here', {}, /raw C\+\+/],
    ['C++ as another language', '```c++\nint x;\n```', {}, /no known kind/],
    ['HTML', '<pre>int x;</pre>', {}, /neither text nor any block/],
    ['a heading of a third level', '### Title', {}, /neither text nor any block: ###/],
    ['a numbered list', '1. one\n2. two', {}, /neither text nor any block: 1/],
    ['columns without end', ':::\none\n:::\ntwo', {}, /::: without :::end/],
    ['an end without columns', 'one\n\n:::end', {}, /:::end without :::/],
    ['a table without its second row', '| a | b |\n| c | d |', {}, /without its second row/],
    [
      'a row that is too short',
      '| a | b |\n|---|--:|\n| c | d |\n| `e` |',
      {},
      /a row of 1 in a table of 2/,
    ],
    [
      'a line that no line of the region begins with',
      code('from: z\n'),
      source('a();'),
      /no line begins with "z"/,
    ],
    ['a line that several begin with', code('from: a\n'), source('a();\na();'), /several lines/],
    [
      'a terminal that no README shows',
      '```console R.md\n$ ls\n```',
      { 'R.md': '```console\n$ pwd\n```\n' },
      /no such line/,
    ],
    ['a picture that is not there', '![it](a.svg)', {}, /a\.svg/],
    ['a picture without words', '![](a.svg)', { 'a.svg': '<svg/>' }, /what it shows/],
    [
      'a run that the picture lacks',
      '![it](a.svg#07-none@5)',
      { 'a.svg': '<svg/>' },
      /without the runs/,
    ],
    ['a link to a slide that is not there', 'A [link](#two).', {}, /no slide #two/],
    ['a link to a file that is not there', 'A [link](two.md).', {}, /two\.md/],
    ['a block without end', '```text\na', {}, /without end/],
    ['a slide without notes', '--- one | 1 | keep\n# Title\n', {}, /`Note:` is needed/],
    [
      'notes that do not say what to run',
      '--- one | 1 | keep\n# T\n\nNote:\nSay: this.\n',
      {},
      /what to run/,
    ],
    [
      'a demo without a fallback',
      '--- one | 1 | keep\n# T\n\nNote:\nSay: a.\nRun: `ls`\n',
      {},
      /Else/,
    ],
    [
      'a slide without minutes',
      '--- one | | keep\n# T\n\nNote:\nSay: a.\nRun: nothing\n',
      {},
      /no minutes/,
    ],
    [
      'a slide of no fate',
      '--- one | 1 | perhaps\n# T\n\nNote:\nSay: a.\nRun: nothing\n',
      {},
      /neither keep nor drop/,
    ],
    [
      'two slides of one id',
      '--- one | 1 | keep\n# T\n\nNote:\nSay: a.\nRun: nothing\n'.repeat(2),
      {},
      /second slide/,
    ],
  ];
  for (const [what, body, files, reason] of refused)
    test(`refuses ${what}`, () => assert.throws(() => buildOne(body, files), reason));

  test('fails as a program, with the reason', async () => {
    const { spawnSync } = await import('node:child_process');
    const copy = join(scratch, 'copy');
    mkdirSync(copy);
    for (const name of readdirSync(root).filter((it) => /^0\d-|^slides$|README/.test(it)))
      cpSync(join(root, name), join(copy, name), {
        recursive: true,
        filter: (from) => !from.includes('node_modules'),
      });
    symlinkSync(join(slidesFolder, 'node_modules'), join(copy, 'slides/node_modules'));
    cpSync(join(root, 'tests/support/region.awk'), join(copy, 'tests/support/region.awk'));
    const changed = join(copy, '02-threads/processes.cpp');
    writeFileSync(changed, readFileSync(changed, 'utf8').replaceAll('region fetch', 'region start'));
    const { status, stderr } = spawnSync(
      'node',
      [join(copy, 'slides/build.mjs'), join(copy, 'out.html')],
      { encoding: 'utf8' },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^slides: 02-threads\.md: slide processes: region fetch starts 0 times/);
    assert.ok(!existsSync(join(copy, 'out.html')));
  });
});

// --- The talk ---

describe('the talk', () => {
  test('has 40 to 60 slides and takes 45 minutes', () => {
    assert.ok(talk.length >= 40 && talk.length <= 60, `${talk.length} slides`);
    assert.equal(minutes(talk), 45);
  });
  test('schedules add up, and are those of the slides and the exercises', () => {
    const text = readFileSync(join(slidesFolder, 'WORKSHOP.md'), 'utf8');
    assert.deepEqual(mistakes(text), []);
    assert.equal(text, filled(text, talk, root), 'node slides/schedule.mjs --write');
  });
  test('exercises say the minutes of their declarations', () => {
    const declared = readFileSync(join(root, 'tests/judge/exercises.cmake'), 'utf8');
    const chapters = [...new Set(talk.map(({ chapter }) => chapter))];
    const all = chapters.flatMap((chapter) => readExercises(root, chapter));
    const wanted = [...declared.matchAll(/^exercise\(\s*(\d\d\.\d+)\s+\S+\s+MINUTES (\d+)/gm)].map(
      ([, id, its]) => `${id} ${its}`,
    );
    assert.deepEqual(
      all.map(({ id, minutes: its }) => `${id} ${its}`),
      wanted,
    );
  });
  test('schedules that do not add up are seen', () => {
    const table = (total, rows) =>
      `### A: ${total} of 45 minutes\n\n| from | minutes | what |\n|--:|--:|---|\n${rows}\n`.repeat(
        5,
      );
    assert.deepEqual(mistakes(table(3, '| 9:00 | 1 | a |\n| 9:01 | 2 | b |')), []);
    assert.match(
      mistakes(table(4, '| 9:00 | 1 | a |\n| 9:01 | 2 | b |'))[0],
      /3 minutes, and it says 4/,
    );
    assert.match(mistakes(table(3, '| 9:00 | 1 | a |\n| 9:02 | 2 | b |'))[0], /begins at 9:01/);
    assert.match(mistakes(table(46, '| 9:00 | 46 | a |'))[0], /do not fit/);
    assert.match(mistakes('nothing')[0], /0 schedules/);
  });
  test('says the figures that the chapters say', () => {
    const { 'also said': said } = JSON.parse(
      readFileSync(join(slidesFolder, 'figures.json'), 'utf8'),
    );
    const words = (text) => text.replaceAll('*', '').replace(/\s+/g, ' ');
    const slides = words(talk.map(({ body }) => body).join());
    for (const [file, figures] of Object.entries(said))
      for (const figure of figures) {
        const [here, there = here] = figure.split('|');
        assert.ok(slides.includes(here), `the slides do not say ${here}`);
        assert.ok(
          words(readFileSync(join(root, file), 'utf8')).includes(there),
          `${file} does not say ${there}`,
        );
      }
  });
});

// --- In the browser ---

describe('the deck in Chromium', { timeout: 900_000 }, () => {
  const deck = join(scratch, 'deck/slides/index.html'),
    bad = join(scratch, 'deck/bad.html');
  const live = { live: 'http://localhost:8080/' };
  let browser;
  before(async () => {
    mkdirSync(dirname(deck), { recursive: true });
    writeFileSync(deck, build({ out: deck }));
    writeFileSync(
      bad,
      page('A bad deck', [readFileSync(join(slidesFolder, 'test/bad.html'), 'utf8')]),
    );
    browser = await launch();
  });
  after(() => browser?.close());

  test('every slide and every step holds', async () => {
    const { problems, slides } = await inspect(browser, deck, live);
    assert.equal(slides, talk.length);
    for (const [check, found] of Object.entries(problems)) assert.deepEqual(found, [], check);
  });

  test('each check fails on the slide made for it, and on no other', async () => {
    const { problems } = await inspect(browser, bad, {});
    for (const [check, found] of Object.entries(problems)) {
      const failed = [...new Set(found.map((it) => it.split(':')[0]))];
      const others = failed.filter((id) => id.split('-')[0] !== check);
      const also = { canvas: ['sheets'], console: ['requests'] }; // too high; there is no such file
      assert.deepEqual(others, also[check] ?? [], `${check}: ${found}`);
      assert.ok(failed.includes(check), `${check} sees nothing`);
    }
    for (const [check, id] of [
      ['canvas', 'canvas-below'],
      ['canvas', 'canvas-text'],
      ['heading', 'heading-none'],
      ['axe', 'axe-dimmed'],
    ])
      assert.ok(
        problems[check].some((it) => it.startsWith(`${id}:`)),
        id,
      );
  });

  test('an answer is not seen before its step, nor Python beside the C++', async () => {
    const questions = talk.filter(({ body }) => / ask$/m.test(body));
    assert.deepEqual(
      questions.map(({ chapter }) => chapter),
      ['01-sync', '02-threads', '03-callbacks', '04-green-threads', '05-coroutines'],
    );
    for (const { id } of questions) {
      const { page: tab } = await open(browser, deck, { query: `#/${id}` });
      const answer = tab.locator(`#${id} .answer`);
      assert.equal(await answer.isVisible(), false, id);
      await tab.evaluate(() => {
        while (Reveal.availableFragments().next) Reveal.next();
      });
      await answer.waitFor({ state: 'visible' });
      await tab.context().close();
    }
    for (const { id } of talk.filter(({ body }) => /^```python /m.test(body))) {
      const { page: tab } = await open(browser, deck, { query: `#/${id}` });
      const [cpp, python] = ['not(.instead)', 'is(.instead)'].map((which) =>
        tab.locator(`#${id} .code:${which}`),
      );
      assert.deepEqual([await cpp.isVisible(), await python.isVisible()], [true, false], id);
      await tab.evaluate(() => {
        while (Reveal.availableFragments().next) Reveal.next();
      });
      await python.waitFor({ state: 'visible' });
      await cpp.waitFor({ state: 'hidden' });
      await tab.context().close();
    }
  });

  test('the live page gives way to the picture, and comes back', async () => {
    let answers = 0;
    const start = (port) =>
      new Promise((done) => {
        const server = createServer((_, response) => {
          ++answers;
          response.setHeader('Content-Type', 'text/html');
          response.end('<title>the page</title>');
        });
        server.listen(port, '127.0.0.1', () => done(server));
      });
    const first = await start(0),
      { port } = first.address();
    const file = join(dirname(deck), 'live.html');
    writeFileSync(
      file,
      readFileSync(deck, 'utf8').replaceAll('localhost:8080', `127.0.0.1:${port}`),
    );
    const { page: tab } = await open(browser, file, { query: '#/live' });
    const frame = tab.frameLocator('.live iframe');
    await frame.locator('title').waitFor({ state: 'attached' });
    first.closeAllConnections();
    await new Promise((done) => first.close(done));
    await tab.locator('.live iframe').waitFor({ state: 'detached' });
    assert.ok(await tab.locator('#live img').first().isVisible());
    const second = await start(port);
    await frame.locator('title').waitFor({ state: 'attached' });
    await tab.keyboard.press('ArrowRight'); // the keys are still the deck's
    await tab.waitForFunction(() => Reveal.getCurrentSlide().id !== 'live');
    assert.equal(await tab.locator('.live iframe').count(), 0);
    assert.ok(answers > 2);
    const before = answers;
    await tab.waitForTimeout(2500); // it would ask every 2 s
    assert.equal(answers, before);
    second.closeAllConnections();
    second.close();
    await tab.context().close();
  });

  test('the speaker view opens, shows the notes and the next slide, and steers', async () => {
    assert.match(await notesOf(deck), /Most programs that talk to a network/);
  });
  test('a deck without notes shows none there', async () => {
    const silent = join(scratch, 'deck/silent.html');
    writeFileSync(
      silent,
      page('Silent', ['<section id="a"><h1>A</h1></section><section id="b"><h1>B</h1></section>']),
    );
    assert.equal(await notesOf(silent), '');
  });
  async function notesOf(file) {
    const { page: tab, seen } = await open(browser, file);
    const [popup] = await Promise.all([tab.waitForEvent('popup'), tab.keyboard.press('s')]);
    await popup.waitForFunction(() => document.querySelectorAll('iframe').length === 2);
    for (const frame of popup.frames().slice(1))
      await frame.waitForFunction(() => window.Reveal?.isReady());
    await tab.waitForTimeout(1000); // it says hello twice a second
    const notes = (await popup.locator('.speaker-controls-notes .value').innerText()).trim();
    await popup.keyboard.press('ArrowRight');
    await tab.waitForFunction(() => Reveal.getIndices().h === 1);
    assert.deepEqual(seen.console, []);
    await tab.context().close();
    return notes;
  }

  test('the PDF has a sheet for each slide, and one for each program in Python', async () => {
    const programs = talk.filter(({ body }) => /^```python /m.test(body));
    assert.equal(programs.length, 5);
    assert.equal(
      await sheetsOf(build({ out: deck, print: true })),
      talk.length + programs.length,
    );
  });
  test('a slide that takes two sheets is seen', async () => {
    const text = readFileSync(join(slidesFolder, 'test/bad.html'), 'utf8');
    const count = text.match(/<section/g).length;
    assert.ok((await sheetsOf(sheets('A bad deck', [text]))) > count);
  });
  async function sheetsOf(html) {
    const tab = await browser.newPage();
    await tab.setContent(html);
    const pdf = (await tab.pdf({ preferCSSPageSize: true, printBackground: true })).toString(
      'latin1',
    );
    await tab.close();
    return pdf.match(/\/Type \/Page\b/g).length;
  }
});
