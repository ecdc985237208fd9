// Code as it stands in the chapters: files and named regions.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const maxLines = 15,
  maxColumns = 72;
const part = { lines: maxLines, columns: maxColumns },
  whole = { lines: 27, columns: 90 }; // in letters that are smaller the more there is

// The lines of a region, as for the READMEs. Throws unless there is exactly one.
function region(file, name) {
  const script = fileURLToPath(new URL('../tests/support/region.awk', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    'awk',
    ['-v', `name=${name}`, '-f', script, file],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr.trim());
  return stdout.split('\n').slice(0, -1);
}

function withoutIndent(lines) {
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/));
  return lines.map((line) => line.slice(Math.min(...indents)));
}

// The one line that begins with `text`, indentation aside; from `after` on, the next one.
function find(lines, text, after = -1) {
  const at = lines.findIndex((line, i) => i >= after && line.trim().startsWith(text));
  if (at < 0) throw new Error(`no line begins with "${text}"`);
  if (after < 0 && lines.some((line, i) => i > at && line.trim().startsWith(text)))
    throw new Error(`several lines begin with "${text}"`);
  return at;
}

// A line that is too wide is broken before each of `tokens`, as a person would.
function broken(line, tokens, columns) {
  if (line.length <= columns) return [line];
  const places = tokens.flatMap((token) => [...line.matchAll(token)].map((match) => match.index));
  const indent = ' '.repeat(line.search(/\S/) + 4);
  const cuts = [0, ...places.sort((a, b) => a - b), line.length];
  return cuts.slice(1).map((cut, i) => ((i ? indent : '') + line.slice(cuts[i], cut)).trimEnd());
}

const escaped = (text) => new RegExp(text.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g');

// What a slide shows of `root`/`place`, which is a file or file#region, as lines. Of that only what
// is `from` one line `to` the next that begins so; without its comments; wide lines with `breaks`.
// A slide that shows a `program` whole has room for more of it.
export function quote(root, place, { from, to, comments, breaks, program } = {}) {
  const most = program ? whole : part;
  const [file, name] = place.split('#');
  const path = join(root, file);
  let lines = name ? region(path, name) : readFileSync(path, 'utf8').split('\n');
  if (from) lines = lines.slice(find(lines, from));
  if (to) lines = lines.slice(0, find(lines, to, 0) + 1);
  if (comments === 'none')
    lines = lines
      .filter((line) => !/^ *\/\//.test(line))
      .map((line) => line.replace(/ +\/\/ .*/, ''));
  const tokens = breaks?.split(' | ').map(escaped) ?? [];
  lines = withoutIndent(lines).flatMap((line) => broken(line, tokens, most.columns));
  while (!lines.at(-1)?.trim() && lines.length) lines.pop();
  const wide = lines.find((line) => line.length > most.columns);
  if (wide) throw new Error(`${place}: ${wide.length} columns, and ${most.columns} fit: ${wide}`);
  if (lines.length > most.lines)
    throw new Error(`${place}: ${lines.length} lines, and ${most.lines} fit`);
  return lines;
}

// `2 | 4-6 9` as [[2], [4, 5, 6, 9]]: the lines of each step. Throws at one that is not there.
export function steps(text, count) {
  return text.split('|').map((step) => {
    const lines = step
      .trim()
      .split(/\s+/)
      .flatMap((range) => {
        const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
        if (!first || +last < +first) throw new Error(`"${range}" is not a range of lines`);
        return Array.from({ length: last - first + 1 }, (_, i) => +first + i);
      });
    const beyond = lines.find((line) => line < 1 || line > count);
    if (beyond !== undefined) throw new Error(`a step at line ${beyond} of ${count}`);
    return lines;
  });
}
