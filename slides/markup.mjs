// The talk's Markdown, and colours for code. What slides do not use throws, with the reason.

import hljs from 'highlight.js/lib/core';
import cpp from 'highlight.js/lib/languages/cpp';
import python from 'highlight.js/lib/languages/python';
import MarkdownIt from 'markdown-it';

const md = new MarkdownIt('zero').enable([
  ...['heading', 'fence', 'list', 'table'],
  ...['backticks', 'emphasis', 'link'],
]);
const { rules } = md.renderer;

export const escape = md.utils.escapeHtml;

// `code`, **bold**, *emphasis*, [text](link), which use.link resolves.
export const inline = (text, use) => md.renderInline(text, use);

// The blocks of a slide as HTML: # heading, paragraph, + paragraph that comes with a step of its
// own, - list, | table |, ![picture](file), or +![picture](file) for one that comes with a step of
// its own, behind others, fenced blocks, which use.fence makes, and columns between :::, ::: and
// :::end.
export const blocks = (text, use) => md.render(text, use);

// Teaches markdown-it a block: lines that begin so. `html` says what they become.
function add(name, beginning, html) {
  const rule = (state, from, to, silent) => {
    const line = (i) => state.src.slice(state.bMarks[i], state.eMarks[i]);
    const lines = [];
    for (let i = from; i < to && beginning.test(line(i)); ++i) lines.push(line(i));
    if (!lines.length || silent) return lines.length > 0;
    state.push('html_block').content = html(lines, state.env);
    state.line = from + lines.length;
    return true;
  };
  md.block.ruler.before('list', name, rule, { alt: ['paragraph', 'list', 'blockquote'] });
}

add('pictures', /^\+?!\[/, (images, use) => {
  const pictures = images.map((image) => {
    const [, later, alt, file] = /^(\+?)!\[(.+)\]\((\S+)\)$/.exec(image) ?? [];
    if (!alt) throw new Error(`not ![what it shows](file): ${image}`);
    const picture = use.picture(file, alt);
    return later ? picture.replace('<img', '<img class="fragment"') : picture;
  });
  return `<div class="pictures">${pictures.join('')}</div>`;
});

add('columns', /^:::/, ([line], use) => {
  if (line !== ':::end') return use.columns++ ? '</div><div>' : '<div class="columns"><div>';
  if (!use.columns) throw new Error(':::end without :::');
  use.columns = 0;
  return '</div></div>';
});

// Refuses what markdown-it would make the best of, and changes what is not the same for a slide.
md.core.ruler.after('block', 'slide', ({ src, tokens, env: use }) => {
  const lines = src.split('\n');
  const cells = (row) => row.split(/(?<!\\)\|/).length - 2;
  let head;
  for (const [i, token] of tokens.entries()) {
    const { type, tag, map, markup } = token;
    const line = lines[map?.[0]];
    const text = tokens[i + 1]?.content;
    const fail = (reason) => {
      throw new Error(reason);
    };

    if (type === 'paragraph_open' && text.startsWith('|')) fail('a table without its second row');
    if ((type === 'paragraph_open' && /^[<>=~+#]/.test(text)) || /^(ol|h[3-6])$/.test(tag))
      fail(`neither text nor any block: ${line}`);
    if (type === 'fence' && (map[1] - map[0] < 2 || !lines[map[1] - 1].startsWith('```')))
      fail('a block without end');

    if (markup === '+') token.hidden = true; // a list, of which only the paragraph is wanted
    if (type === 'paragraph_open' && tokens[i - 1]?.markup === '+') {
      token.hidden = tokens[i + 2].hidden = false;
      token.attrSet('class', 'fragment');
    }

    if (type === 'table_open') head = line;
    if (type === 'tr_open' && cells(line) !== cells(head))
      fail(`a row of ${cells(line)} in a table of ${cells(head)}`);
    if (token.attrGet('style')) token.attrs = [['class', 'right']];
    if (type === 'th_open' && text) token.attrPush(['scope', 'col']);
    if (type === 'th_open' && !text) token.tag = tokens[i + 2].tag = 'td';
  }
  if (use.columns) throw new Error('::: without :::end');
});

rules.fence = (tokens, i, _, use) =>
  use.fence(tokens[i].info.trim(), tokens[i].content.split('\n').slice(0, -1));

rules.code_inline = (tokens, i) => {
  const code = tokens[i].content;
  if (/[;{] *$/.test(code)) throw new Error(`raw C++: ${code}`);
  return `<code>${escape(code)}</code>`;
};

rules.link_open = (tokens, i, _, use) => {
  const to = use.link(tokens[i].attrGet('href'));
  return to ? `<a href="${escape(to)}">` : '<a>';
};

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
