import sys

from twisted.internet import defer, task
from twisted.web.client import Agent, RedirectAgent, readBody


def is_ok(agent, url):
    def judge(response):
        return readBody(response).addCallback(lambda body: response.code == 200)

    return agent.request(b"GET", url.encode()).addCallback(judge)


def fetch(agent, url):
    def print_verdict(ok):
        sys.stdout.write(f"{url} {'OK' if ok else 'Bad'}\n")

    verdict = defer.maybeDeferred(is_ok, agent, url)  # a malformed URL raises at once
    return verdict.addErrback(lambda failure: False).addCallback(print_verdict)


def main(reactor, *urls):
    agent = RedirectAgent(Agent(reactor))
    return defer.DeferredList([fetch(agent, url) for url in urls])


task.react(main, sys.argv[1:])
