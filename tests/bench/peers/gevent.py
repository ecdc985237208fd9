#!/usr/bin/python3
# gevent: urllib as it is, on green threads.

import sys

sys.path.pop(0)  # this file's folder, or `gevent` would be this file

from gevent import joinall, monkey, spawn

monkey.patch_all()
import urllib.request


def is_ok(url):
    request = urllib.request.Request(url, headers={"User-Agent": "sync-desert/peer-gevent"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return answer.status == 200
    except OSError:
        return False


def fetch(url):
    sys.stdout.write(f"{url} {'OK' if is_ok(url) else 'Bad'}\n")


joinall([spawn(fetch, url) for url in sys.argv[1:]])
