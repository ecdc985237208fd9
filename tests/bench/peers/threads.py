#!/usr/bin/python3
# Python's threads and urllib: a thread per URL, as the talk begins.

import sys
import threading
import urllib.request


def is_ok(url):
    request = urllib.request.Request(url, headers={"User-Agent": "sync-desert/peer-threads"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return answer.status == 200
    except OSError:
        return False


def fetch(url):
    sys.stdout.write(f"{url} {'OK' if is_ok(url) else 'Bad'}\n")


for url in sys.argv[1:]:
    threading.Thread(target=fetch, args=(url,)).start()
