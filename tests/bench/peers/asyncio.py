#!/usr/bin/python3
# asyncio and aiohttp: a coroutine per URL.

import sys

sys.path.pop(0)  # this file's folder, or `asyncio` would be this file

import asyncio
import aiohttp


async def is_ok(session, url):
    try:
        async with session.get(url) as answer:
            await answer.read()
            return answer.status == 200
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        return False


async def fetch(session, url):
    sys.stdout.write(f"{url} {'OK' if await is_ok(session, url) else 'Bad'}\n")


async def main():
    headers = {"User-Agent": "sync-desert/peer-asyncio"}
    connector = aiohttp.TCPConnector(limit=0)  # as many connections as there are URLs
    limit = aiohttp.ClientTimeout(total=30)
    session = aiohttp.ClientSession(headers=headers, connector=connector, timeout=limit)
    async with session:
        await asyncio.gather(*(fetch(session, url) for url in sys.argv[1:]))


asyncio.run(main())
