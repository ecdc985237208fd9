"""aiohttp on uvloop, the loop of libuv: chapter 05's fetch.py as it is."""

import pathlib
import runpy

import uvloop

uvloop.install()
chapter = pathlib.Path(__file__).parents[3] / '05-coroutines'
runpy.run_path(str(chapter / 'fetch.py'), run_name='__main__')
