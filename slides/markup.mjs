// The talk's own small Markdown, and colours for code. Just what the slides use; anything else
// throws, with the reason.

import hljs from 'highlight.js/lib/core';
import cpp from 'highlight.js/lib/languages/cpp';
import python from 'highlight.js/lib/languages/python';

export const escape = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

// `code`, **bold**, *emphasis*, [text](link). `use` resolves links, and {{file#region}}.
export function inline(text, use) {
  const kept = [];
  const keep = (html) => `\0${kept.push(html) - 1}\0`;
  return escape(
    text
      .replace(/\{\{(.+?)\}\}/g, (_, place) => keep(`<code>${highlight(use.code(place), 'cpp')}</code>`))
      .replace(/`([^`]+)`/g, (_, code) => {
        if (/[;{] *$/.test(code)) throw new Error(`raw C++: ${code}`);
        return keep(`<code>${escape(code)}</code>`);
      })
      .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, name, link) => {
        const to = use.link(link);
        return to ? keep(`<a href="${escape(to)}">`) + name + keep('</a>') : name;
      }),
  )
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/\*(.+?)\*/g, '<em>$1</em>')
    .replace(/\0(\d+)\0/g, (_, i) => kept[i]);
}

// The blocks of a slide as HTML: # heading, paragraph, + paragraph that comes with a step of its
// own, - list, | table |, ![picture](file), or
// +![picture](file) for one that comes with a step of its own, behind others, fenced
// blocks, which use.fence makes, and columns between :::, ::: and :::end.
export function blocks(text, use) {
  const lines = text.split('\n');
  let html = '',
    columns = 0;
  const take = (pattern) => {
    const taken = [];
    while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
    return taken;
  };
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) {
      lines.shift();
    } else if (line.startsWith('```')) {
      lines.shift();
      const body = take(/^(?!```)/);
      if (!lines.shift()) throw new Error('a block without end');
      html += use.fence(line.slice(3).trim(), body);
    } else if (line.startsWith(':::')) {
      lines.shift();
      if (line === ':::end') {
        if (!columns) throw new Error(':::end without :::');
        html += '</div></div>';
        columns = 0;
      } else {
        html += columns++ ? '</div><div>' : '<div class="columns"><div>';
      }
    } else if (/^#{1,2} /.test(line)) {
      const [, marks, title] = /^(#+) (.*)/.exec(lines.shift());
      html += `<h${marks.length}>${inline(title, use)}</h${marks.length}>`;
    } else if (line.startsWith('+ ')) {
      lines[0] = line.slice(2);
      html += `<p class="fragment">${inline(take(/^(?![-|] |```|:::|#|\+)\s*\S/).join(' '), use)}</p>`;
    } else if (line.startsWith('- ')) {
      const items = take(/^(- |  \S)/)
        .join('\n')
        .slice(2)
        .split('\n- ');
      const item = (text) => `<li>${inline(text.replace(/\n */g, ' '), use)}</li>`;
      html += `<ul>${items.map(item).join('')}</ul>`;
    } else if (line.startsWith('|')) {
      html += table(
        take(/^\|/).map((row) =>
          row
            .split(/(?<!\\)\|/)
            .slice(1, -1)
            .map((cell) => cell.trim().replaceAll('\\|', '|')),
        ),
        use,
      );
    } else if (/^\+?!\[/.test(line)) {
      const pictures = take(/^\+?!\[/).map((image) => {
        const [, later, alt, file] = /^(\+?)!\[(.+)\]\((\S+)\)$/.exec(image) ?? [];
        if (!alt) throw new Error(`not ![what it shows](file): ${image}`);
        const picture = use.picture(file, alt);
        return later ? picture.replace('<img', '<img class="fragment"') : picture;
      });
      html += `<div class="pictures">${pictures.join('')}</div>`;
    } else {
      if (/^[<>=~+]/.test(line)) throw new Error(`neither text nor any block: ${line}`);
      html += `<p>${inline(take(/^(?![-|] |```|:::|#|\+?!\[)\s*\S/).join(' '), use)}</p>`;
    }
  }
  if (columns) throw new Error('::: without :::end');
  return html;
}

// Rows of Markdown cells: the first is the head, the second says where columns are aligned.
export function table([head, marks, ...body], use) {
  if (!marks?.every((mark) => /^:?-+:?$/.test(mark)))
    throw new Error('a table without its second row');
  const row = (cells, tag) => {
    if (cells.length !== head.length)
      throw new Error(`a row of ${cells.length} in a table of ${head.length}`);
    const cell = (text, i) => {
      const right = marks[i].endsWith(':') ? ' class="right"' : '';
      if (tag === 'th' && text) return `<th scope="col"${right}>${inline(text, use)}</th>`;
      return `<td${right}>${inline(text, use)}</td>`;
    };
    return `<tr>${cells.map(cell).join('')}</tr>`;
  };
  const rows = body.map((cells) => row(cells, 'td')).join('');
  return `<table><thead>${row(head, 'th')}</thead><tbody>${rows}</tbody></table>`;
}

// Code that stands in a slide instead of in a chapter.
export const looksLikeCpp = (text) =>
  [
    /#include|\bstd::|\bco_await .*\(|->\w|\bfor \(/,
    /;\s*(\/\/.*)?$|[;)]\s*\{|\breturn .*;/m,
    /<\w+>\s*\w+[({]/,
  ].some((sign) => sign.test(text));

hljs.registerLanguage('cpp', cpp);
hljs.registerLanguage('python', python);

// A line of C++ or Python as HTML, with its comments, strings, numbers and keywords in spans.
export const highlight = (line, language) => hljs.highlight(line, { language }).value;
