// Reads a talk: its slides, and what the presenter's notes say. Does not look at any chapter.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// The slides of all files of `folder`, in order. A slide begins with
//   --- id | minutes | keep or drop | options
// and ends with the presenter's notes, behind a line `Note:`. They have paragraphs `Say:`, `Run:`
// (`nothing`, or what to do in the terminal) and `Else:` (what to do when that fails).
// Throws with the file and the line when that is not so.
export function readTalk(folder) {
  const slides = [];
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort();
  for (const file of files) {
    const chapter = file.slice(0, -'.md'.length);
    // What was measured stands between comments, for tests/bench to write.
    const parts = readFileSync(join(folder, file), 'utf8')
      .replace(/^<!--.*?-->\n|<!--.*?-->/gm, '')
      .split(/^--- /m);
    if (parts.shift().trim()) throw new Error(`${file}:1: text before the first slide`);
    for (const part of parts) {
      const [head, ...rest] = part.split('\n');
      const [id, minutes, fate, options = ''] = head.split('|').map((word) => word.trim());
      const fail = (reason) => {
        throw new Error(`${file}: slide ${id}: ${reason}`);
      };
      if (!/^[a-z][a-z0-9-]*$/.test(id)) fail('not an id');
      if (slides.some((slide) => slide.id === id)) fail('a second slide of that id');
      if (!(+minutes > 0)) fail(`"${minutes}" are no minutes`);
      if (fate !== 'keep' && fate !== 'drop') fail(`"${fate}" is neither keep nor drop`);
      const unknown = options
        .split(' ')
        .find((option) => !['', 'morph', 'title', 'large', 'program'].includes(option));
      if (unknown) fail(`there is no option "${unknown}"`);
      const [body, notes, ...more] = rest.join('\n').split(/^Note:\n/m);
      if (notes === undefined || more.length) fail('one `Note:` is needed');
      slides.push({
        file,
        chapter,
        id,
        body,
        minutes: +minutes,
        drop: fate === 'drop',
        morph: options.includes('morph'),
        look: options.replace('morph', '').trim(),
        ...readNotes(notes, fail),
      });
    }
  }
  if (!slides.length) throw new Error(`no slides in ${folder}`);
  return slides;
}

function readNotes(text, fail) {
  const notes = { say: '', run: '', otherwise: '' };
  const names = { Say: 'say', Run: 'run', Else: 'otherwise' };
  let name;
  for (const line of text.split('\n').filter((it) => it.trim())) {
    const [, begin, rest] = /^(Say|Run|Else): (.*)/.exec(line) ?? [null, null, line];
    if (begin) {
      name = names[begin];
      if (notes[name]) fail(`two \`${begin}:\` in the notes`);
    }
    if (!name) fail('the notes begin with neither `Say:` nor `Run:`');
    notes[name] += (notes[name] ? ' ' : '') + rest.trim();
  }
  if (!notes.say) fail('the notes do not say what to say');
  if (!notes.run) fail('the notes do not say what to run, or `Run: nothing`');
  if (notes.run === 'nothing') notes.run = '';
  if (notes.run && !notes.otherwise) fail('no `Else:` for when the demo fails');
  return notes;
}

export const minutes = (slides) => slides.reduce((sum, slide) => sum + slide.minutes, 0);
