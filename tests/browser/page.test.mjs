// The test server's page in a real browser, as somebody sees it beside a terminal.
// What must overlap meets at a /barrier, so that nothing depends on time.

import assert from 'node:assert/strict'
import {spawn} from 'node:child_process'
import {mkdirSync, readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {get} from 'node:http'
import {after, before, beforeEach, test} from 'node:test'
import {fileURLToPath} from 'node:url'
import {chromium} from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const build = root + 'build/'
const screenshots = build + 'screenshots/'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8')
const chapters = ['01-sync', '02-threads', '03-callbacks', '04-green-threads', '05-coroutines']

let browser, page, server, trouble

// Starts the server; it ends with its stdin, and so with this process at the latest.
async function serve(port = 0) {
  const options = ['--port', port, '--exit-with-stdin']
  const child = spawn(build + 'tests/server/test-server', options, {stdio: ['pipe', 'pipe', 'inherit']})
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', data => resolve(String(data)))
    child.once('exit', status => reject(new Error(`the server ended with status ${status}`)))
  })
  const url = /http:\S+/.exec(line)[0]
  const stop = () => new Promise(done => {
    child.once('exit', done)
    child.stdin.end()
  })
  return {url, port: new URL(url).port, stop}
}

// Runs a chapter's fetcher. Resolves to its exit status.
const fetch_all = (chapter, ...paths) => new Promise((resolve, reject) => {
  const urls = paths.map(path => server.url + path)
  const child = spawn(build + chapter + '/fetch', urls, {stdio: 'ignore'})
  child.on('error', reject).on('exit', resolve)
})

const ask = (path, headers = {}) => new Promise((resolve, reject) => {
  const options = {headers, agent: false}
  get(server.url + path, options, response => resolve(response.resume())).on('error', reject)
})

const runs = () => page.locator('section')
const run = name => page.locator('section', {has: page.getByRole('heading', {name, exact: true})})

async function shows(locator, text) {
  await locator.filter({hasText: text}).first().waitFor({timeout: 20_000})
}

// Until the condition, which is computed in the page, holds.
const until = (condition, argument) => page.waitForFunction(condition, argument, {timeout: 20_000})
const until_in_flight = count => until(n => document.getElementById('now').textContent === String(n), count)

async function check_accessibility() {
  await page.evaluate(axe)
  const {violations} = await page.evaluate(() => window.axe.run())
  assert.deepEqual(violations.map(it => it.id + ': ' + it.nodes.map(node => node.html)), [])
}

before(async () => {
  mkdirSync(screenshots, {recursive: true})
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
      '--disable-background-networking', '--disable-component-update'],
  })
})

beforeEach(async t => {
  server = await serve()
  page = await browser.newPage({viewport: {width: 1280, height: 720}})
  trouble = []
  page.on('pageerror', error => trouble.push(String(error)))
  page.on('request', request => {
    if (!request.url().startsWith(server.url)) trouble.push('asks for ' + request.url())
  })
  await page.goto(server.url)
  await shows(page.getByRole('status'), 'live')
  t.after(async () => {
    await page.close()
    await server.stop()
    assert.deepEqual(trouble, [])
  })
})

after(() => browser?.close())

test('bars appear while a fetcher runs, and end when it ends', async () => {
  const path = '/barrier/5?timeout=60'
  const fetched = fetch_all('02-threads', path, path, path, path)
  await until_in_flight(4)
  await until(() => document.querySelectorAll('.going').length === 4)
  await shows(run('02-threads'), '4 requests, at most 4 at once')
  await ask(path)
  assert.equal(await fetched, 0)
  await until_in_flight(0)
  await until(() => document.querySelectorAll('.going').length === 0)
  assert.equal(await page.locator('#most').textContent(), '5')
  assert.equal(await run('02-threads').locator('li').count(), 4)
})

test('what a fetcher holds is there while it is at work', async () => {
  const path = '/barrier/5?timeout=60'
  const fetched = fetch_all('02-threads', path, path, path, path)
  await shows(page.locator('#held'), /now in 02-threads/)
  await shows(page.locator('#held'), /5 threads, [0-9.]+ MB/)
  await shows(run('02-threads'), /4 requests, at most 4 at once, .*; 5 threads, [0-9.]+ MB/)
  await page.screenshot({path: screenshots + 'held.png'})
  await check_accessibility()
  await ask(path)
  assert.equal(await fetched, 0)
  await page.locator('#held').waitFor({state: 'hidden'})
  await shows(run('02-threads'), '; 5 threads, ')
})

test('a bar grows as long as its request is in flight', async () => {
  const fetched = fetch_all('03-callbacks', '/barrier/2?timeout=60')
  await until(() => document.querySelector('.going'))
  const time = () => page.evaluate(() => parseFloat(document.querySelector('.time').textContent))
  const first = await time()
  await until(before => parseFloat(document.querySelector('.time').textContent) > before, first)
  await ask('/barrier/2?timeout=60')
  await fetched
})

test('two fetchers at once are two runs, the newest on top', async () => {
  const path = '/barrier/6?timeout=60'
  const first = fetch_all('02-threads', path, path, path)
  await until_in_flight(3)
  const second = fetch_all('05-coroutines', path, path, path)
  assert.deepEqual(await Promise.all([first, second]), [0, 0])
  await until_in_flight(0)
  assert.deepEqual(await page.locator('h2').allTextContents(), ['05-coroutines', '02-threads'])
  await shows(run('02-threads'), '3 requests, at most 3 at once')
  await shows(run('05-coroutines'), '3 requests, at most 3 at once')
})

// The most bars of a run that cover the same moment.
const overlap = name => run(name).locator('.wait').evaluateAll(bars => {
  const spans = bars.map(({style}) => {
    const left = parseFloat(style.left)
    return [left, left + parseFloat(style.width)]
  })
  return Math.max(...spans.map(([at]) => spans.filter(([from, to]) => from <= at && at < to).length))
})

test('five chapters: a staircase, and four stacks', async () => {
  for (const chapter of chapters)
    assert.equal(await fetch_all(chapter, '/twitter', '/google', '/yahoo', '/facebook'), 0)
  await until_in_flight(0)
  await shows(run('05-coroutines'), '5 requests')
  assert.deepEqual(await page.locator('h2').allTextContents(), chapters.slice().reverse())
  for (const chapter of chapters) {
    const most = chapter === '01-sync' ? 1 : 4
    await shows(run(chapter), `5 requests, at most ${most} at once`)
    assert.equal(await overlap(chapter), most)
    await shows(run(chapter), '/facebook 301')
  }
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({colorScheme})
    await check_accessibility()
    await page.screenshot({path: `${screenshots}page-${colorScheme}.png`, fullPage: true})
    await page.goto(server.url + '/timeline.svg')
    assert.equal(await page.evaluate(() => document.documentElement.nodeName), 'svg')
    assert.equal(await page.locator('parsererror').count(), 0)
    await page.goto(server.url + '/help') // where there is no policy against images
    await page.evaluate(() => { document.body.innerHTML = '<img src="/timeline.svg">' })
    await until(() => document.images[0].naturalWidth > 0)
    await page.locator('img').screenshot({path: `${screenshots}timeline-${colorScheme}.png`})
    await page.goto(server.url)
    await shows(run('05-coroutines'), '5 requests')
    assert.equal(await runs().count(), 5) // and no run of the browser's own
  }
})

test('many requests are a skyline', async () => {
  const path = '/barrier/301?timeout=60'
  const fetched = fetch_all('05-coroutines', ...Array(300).fill(path))
  await until_in_flight(300)
  await shows(run('05-coroutines'), '300 requests, at most 300 at once')
  await page.locator('.city path').waitFor()
  await ask(path)
  assert.equal(await fetched, 0)
  await until_in_flight(0)
  await check_accessibility()
  await page.screenshot({path: screenshots + 'skyline.png'})
})

test('the server restarts, and the page goes on with it', async () => {
  assert.equal(await fetch_all('01-sync', '/status/200'), 0)
  await run('01-sync').waitFor()
  await server.stop()
  await shows(page.locator('#state.lost'), 'connection lost')
  await page.screenshot({path: screenshots + 'lost.png'})
  await check_accessibility()
  server = await serve(server.port)
  await shows(page.locator('#state:not(.lost)'), 'live')
  await until(() => document.querySelectorAll('section').length === 0)
  assert.equal(await fetch_all('02-threads', '/status/200'), 0)
  await run('02-threads').waitFor()
  assert.equal(await runs().count(), 1)
})

test('what ran before the page was opened is there', async () => {
  assert.equal(await fetch_all('04-green-threads', '/status/200', '/delay/0'), 0)
  await page.reload()
  await shows(run('04-green-threads'), '2 requests')
  assert.equal(await run('04-green-threads').locator('li').count(), 2)
})

test('cleared, by a key and by the button', async () => {
  const by_key = () => page.keyboard.press('c')
  const by_button = async () => {
    const focused = () => page.evaluate(() => document.activeElement.id)
    while (await focused() !== 'clear') await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
  }
  for (const way of [by_key, by_button]) {
    assert.equal(await fetch_all('02-threads', '/delay/0', '/delay/0'), 0)
    await shows(run('02-threads'), '2 requests')
    await way()
    await until(() => document.querySelectorAll('section').length === 0)
    await until(() => document.getElementById('most').textContent === '0')
    await page.getByText('No requests yet').waitFor()
  }
  await check_accessibility()
})

test('what a client says is text', async () => {
  const evil = '<img src=x onerror=alert(1)>'
  await ask('/%3Cb%3E' + '?<b>&"\'', {'User-Agent': evil})
  await run(evil).waitFor()
  assert.equal(await page.locator('img, b').count(), 0)
  await page.goto(server.url + '/timeline.svg')
  assert.equal(await page.locator('parsererror, img, b').count(), 0)
  assert.ok((await page.locator('title').first().textContent()).includes('<img src=x onerror=alert(1)>'))
})

test('any program draws itself, and failures say what they are', async () => {
  await ask('/status/404', {'User-Agent': 'a program'})
  await shows(run('a program'), '/status/404 404')
  await ask('/close').catch(() => {})
  await shows(run('(no User-Agent)'), '/close no answer')
})

test('nothing is cut off, on a projector or on a phone', async () => {
  await ask('/delay/0?' + 'x'.repeat(300), {'User-Agent': 'y'.repeat(300)})
  await runs().waitFor()
  for (const width of [1920, 1024, 600]) {
    await page.setViewportSize({width, height: 700})
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `at ${width}`)
  }
})
