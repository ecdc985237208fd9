import asyncio
import sys

import aiohttp


async def is_ok(session, url):
    async with session.get(url) as response:
        await response.read()
        return response.status == 200


async def fetch(session, url):
    try: ok = await is_ok(session, url)
    except Exception: ok = False  # it costs this URL, not the others
    sys.stdout.write(f"{url} {'OK' if ok else 'Bad'}\n")


async def main(urls):
    connector = aiohttp.TCPConnector(limit=0)  # as many connections as there are URLs
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(fetch(session, url) for url in urls))


asyncio.run(main(sys.argv[1:]))
