// The parts of WORKSHOP.md that are computed: schedules, from the minutes of slides and exercises,
// and the table of demos, from the notes. node schedule.mjs [--write] [ROOT]

import { existsSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { minutes, readTalk } from './talk.mjs';

const here = dirname(fileURLToPath(import.meta.url));

const chapters = ['01-sync', '02-threads', '03-callbacks', '04-green-threads', '05-coroutines'];

// Each step is the talk's part of that name, `work` on as many of a chapter's exercises, in order,
// as fit into so many minutes, the `capstone` in one of these chapters, or a pause. A plan must not
// take longer than its limit.
const plans = [
  {
    name: 'The talk',
    limit: 45,
    start: '10:00',
    steps: [
      '00-desert',
      '01-sync',
      '02-threads',
      '03-callbacks',
      '04-green-threads',
      '05-coroutines',
      '06-compare',
    ],
  },
  {
    name: 'Half a day',
    limit: 210,
    start: '9:00',
    steps: [
      ['Everybody runs `./learn run`', 10],
      '00-desert',
      '01-sync',
      { work: '01-sync', minutes: 15 },
      '02-threads',
      { work: '02-threads', minutes: 30 },
      ['Break', 15],
      '03-callbacks',
      { work: '03-callbacks', minutes: 30 },
      '04-green-threads',
      { work: '04-green-threads', minutes: 20 },
      ['Break', 10],
      '05-coroutines',
      { work: '05-coroutines', minutes: 30 },
      '06-compare',
    ],
  },
  {
    name: 'A day',
    limit: 480,
    start: '9:00',
    steps: [
      ['Everybody runs `./learn run`', 15],
      '00-desert',
      '01-sync',
      { work: '01-sync', minutes: 25 },
      '02-threads',
      { work: '02-threads', minutes: 60 },
      ['Break', 15],
      '03-callbacks',
      { work: '03-callbacks', minutes: 45 },
      ['Lunch', 60],
      '04-green-threads',
      { work: '04-green-threads', minutes: 40 },
      ['Break', 15],
      '05-coroutines',
      { work: '05-coroutines', minutes: 50 },
      ['Break', 10],
      { capstone: chapters },
      '06-compare',
    ],
  },
  {
    name: 'Two days, the first',
    limit: 480,
    start: '9:00',
    steps: [
      ['Everybody runs `./learn run`', 15],
      '00-desert',
      '01-sync',
      { work: '01-sync', minutes: 45 },
      ['Break', 15],
      '02-threads',
      { work: '02-threads', minutes: 75 },
      ['Lunch', 60],
      '03-callbacks',
      { work: '03-callbacks', minutes: 90 },
      ['Break', 15],
      { capstone: ['01-sync'] },
    ],
  },
  {
    name: 'Two days, the second',
    limit: 480,
    start: '9:00',
    steps: [
      '04-green-threads',
      { work: '04-green-threads', minutes: 90 },
      ['Break', 15],
      '05-coroutines',
      { work: '05-coroutines', minutes: 105 },
      ['Lunch', 60],
      { capstone: chapters.slice(1) },
      ['Break', 15],
      ['Two or three of the room show theirs', 30],
      '06-compare',
    ],
  },
];

// The exercises of a chapter, in order: { id, title, minutes }, as their READMEs say.
export function readExercises(root, chapter) {
  const folder = join(root, chapter, 'exercises');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^\d+-/.test(name));
  return names
    .sort((a, b) => parseInt(a) - parseInt(b))
    .map((name) => {
      const text = readFileSync(join(folder, name, 'README.md'), 'utf8');
      const title = /^# (.*)/m.exec(text)?.[1];
      const said = /^\*(\d\d\.\d+), (\d+) minutes\.\*/m.exec(text);
      if (!title || !said)
        throw new Error(`${chapter}/exercises/${name}/README.md has no title, or no minutes`);
      return { id: said[1], title: title.replace(/^\d\d\.\d+:? */, ''), minutes: +said[2] };
    });
}

// The last one, which takes all that the others taught.
const isCapstone = ({ title }) => title === 'A link checker';

// Rows of { what, minutes } for a plan.
export function rows(plan, slides, root) {
  return plan.steps.map((step) => {
    if (Array.isArray(step)) return { what: step[0], minutes: step[1] };
    if (typeof step === 'string') {
      const part = slides.filter(({ chapter }) => chapter === step);
      if (!part.length) throw new Error(`no slides of ${step}`);
      return { what: `Slides: ${part.length} of ${step}`, minutes: minutes(part) };
    }
    if (step.capstone) {
      const all = step.capstone.map((chapter) => readExercises(root, chapter).find(isCapstone));
      const ids = all.map(({ id }) => id).join(', ').replace(/, ([^,]+)$/, ' or $1');
      const choice = all.length > 1 ? ', in the model that you choose' : '';
      return {
        what: `Exercise: ${all[0].title}${choice}: ${ids}`,
        minutes: Math.max(...all.map((one) => one.minutes)),
      };
    }
    const fitting = [];
    for (const exercise of readExercises(root, step.work))
      if (!isCapstone(exercise) && minutes([...fitting, exercise]) <= step.minutes) fitting.push(exercise);
    if (!fitting.length)
      throw new Error(`no exercise of ${step.work} fits into ${step.minutes} minutes`);
    const names = fitting.map(({ id, title }) => `${id} ${title}`).join('; ');
    return { what: `Exercises: ${names}`, minutes: minutes(fitting) };
  });
}

const clock = (time) =>
  `${Math.floor(time / 60)}:${String(Math.floor(time % 60)).padStart(2, '0')}`;
const fromClock = (text) => text.split(':').reduce((hours, rest) => hours * 60 + +rest);

export function schedules(slides, root) {
  return plans
    .map((plan) => {
      let time = fromClock(plan.start),
        total = 0;
      const lines = rows(plan, slides, root).map((row) => {
        const line = `| ${clock(time)} | ${row.minutes} | ${row.what} |`;
        time += row.minutes;
        total += row.minutes;
        return line;
      });
      if (total > plan.limit)
        throw new Error(`${plan.name} takes ${total} minutes of ${plan.limit}`);
      const head = `### ${plan.name}: ${total} of ${plan.limit} minutes\n`;
      return [head, '| from | minutes | what |', '|--:|--:|---|', ...lines, ''].join('\n');
    })
    .join('\n');
}

export function short(slides) {
  const dropped = slides.filter(({ drop }) => drop);
  return (
    `In a hurry? Leave these out, and save ${minutes(dropped)} of ${minutes(slides)} minutes: ` +
    `${dropped.map(({ id }) => `\`${id}\``).join(', ')}.\n`
  );
}

export function demos(slides) {
  const cell = (text) => text.replaceAll('|', '\\|');
  const lines = slides
    .filter(({ run }) => run)
    .map(({ id, run, otherwise }) => `| \`${id}\` | ${cell(run)} | ${cell(otherwise)} |`);
  return `| slide | run | if that fails |\n|---|---|---|\n${lines.join('\n')}\n`;
}

// WORKSHOP.md with its computed parts, each between `<!-- name -->` and `<!-- end -->`.
export function filled(text, slides, root) {
  const parts = { schedules: schedules(slides, root), short: short(slides), demos: demos(slides) };
  for (const [name, part] of Object.entries(parts)) {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
    if (!place.test(text)) throw new Error(`no <!-- ${name} --> ... <!-- end -->`);
    text = text.replace(place, (_, begin, end) => begin + part + end);
  }
  return text;
}

// What does not add up in the schedules of a WORKSHOP.md, computed or written by hand.
export function mistakes(text) {
  const found = [];
  const tables = [
    ...text.matchAll(/^### (.+): ([\d.]+) of (\d+) minutes\n\n\|.*\n\|.*\n((?:\|.*\n)+)/gm),
  ];
  if (tables.length !== plans.length)
    found.push(`${tables.length} schedules instead of ${plans.length}`);
  for (const [, name, total, limit, body] of tables) {
    const lines = body
      .trim()
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    let time = fromClock(lines[0][1]),
      sum = 0;
    for (const [, from, its, what] of lines) {
      if (from !== clock(time))
        found.push(`${name}: ${what} begins at ${clock(time)}, not ${from}`);
      if (!(+its > 0)) found.push(`${name}: ${what} takes "${its}" minutes`);
      time += +its;
      sum += +its;
    }
    if (sum !== +total) found.push(`${name}: ${sum} minutes, and it says ${total}`);
    if (sum > +limit) found.push(`${name}: ${sum} minutes do not fit into ${limit}`);
  }
  return found;
}

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const { values, positionals } = parseArgs({
    options: { write: { type: 'boolean' } },
    allowPositionals: true,
  });
  const root = positionals[0] ?? dirname(here);
  const file = join(here, 'WORKSHOP.md');
  try {
    const text = filled(readFileSync(file, 'utf8'), readTalk(join(here, 'talk')), root);
    if (values.write) writeFileSync(file, text);
    else process.stdout.write(text);
  } catch (error) {
    console.error(`schedule: ${error.message}`);
    process.exitCode = 1;
  }
}
