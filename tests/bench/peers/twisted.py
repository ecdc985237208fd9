#!/usr/bin/python3
# Twisted: an Agent, and a Deferred per URL.

import sys

sys.path.pop(0)  # this file's folder, or `twisted` would be this file

from twisted.internet import defer, task
from twisted.web.client import Agent, readBody
from twisted.web.http_headers import Headers

headers = Headers({"User-Agent": ["sync-desert/peer-twisted"]})


def fetch(reactor, agent, url):
    def read(response):
        return readBody(response).addCallback(lambda body: response.code == 200)

    fetched = agent.request(b"GET", url.encode(), headers)  # it keeps no connection
    fetched.addCallback(read).addTimeout(30, reactor).addErrback(lambda failure: False)
    fetched.addCallback(lambda ok: sys.stdout.write(f"{url} {'OK' if ok else 'Bad'}\n"))
    return fetched


def main(reactor, *urls):
    agent = Agent(reactor)
    return defer.DeferredList([fetch(reactor, agent, url) for url in urls])


task.react(main, sys.argv[1:])
