// Node's fetch: a promise per URL.

const headers = { 'User-Agent': 'sync-desert/peer-node' };

async function isOk(url) {
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function fetchOne(url) {
  process.stdout.write(`${url} ${(await isOk(url)) ? 'OK' : 'Bad'}\n`);
}

await Promise.all(process.argv.slice(2).map(fetchOne));
