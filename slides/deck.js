// What the deck does in the browser: steps through code, and the live page.

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  controls: false,
  hash: true,
  slideNumber: 'c/t',
  defaultTiming: 60, // which each slide's data-timing replaces, for the speaker view's clock
  transition: 'none',
  autoAnimateDuration: 0.7,
  plugins: [RevealNotes],
});

// The last step that is shown lights up its lines, and the others are dimmed. Before the first one
// all lines are alike.
function light() {
  for (const code of Reveal.getCurrentSlide().querySelectorAll('.code')) {
    const step = [...code.querySelectorAll('.step.visible')].pop();
    const lines = step?.dataset.lines.split(' ') ?? [];
    code.querySelectorAll('.line').forEach((line, i) => {
      line.classList.toggle('lit', lines.includes(String(i + 1)));
      line.classList.toggle('dim', Boolean(step) && !lines.includes(String(i + 1)));
    });
  }
}
for (const event of ['ready', 'slidechanged', 'fragmentshown', 'fragmenthidden'])
  Reveal.on(event, light);

// While its slide is shown, asks now and then whether the server answers, and shows its page as
// long as it does. Not in the speaker view's small copies of the slide.
let asking;
async function askForPage(live) {
  const { page, title } = live.dataset;
  const there = await fetch(page, { mode: 'no-cors', cache: 'no-store' }).then(
    () => true,
    () => false,
  );
  const frame = live.querySelector('iframe');
  if (!there) frame?.remove();
  if (!there || frame || Reveal.getCurrentSlide() !== live.closest('section')) return;
  live.append(Object.assign(document.createElement('iframe'), { src: page, title, tabIndex: -1 }));
}
function goLive() {
  clearInterval(asking);
  document.querySelectorAll('.live iframe').forEach((frame) => frame.remove());
  const live = Reveal.getCurrentSlide().querySelector('.live');
  if (!live || /receiver/.test(location.search)) return;
  askForPage(live);
  asking = setInterval(askForPage, 2000, live);
}
for (const event of ['ready', 'slidechanged']) Reveal.on(event, goLive);
