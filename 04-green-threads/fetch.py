from gevent import joinall, monkey, spawn

monkey.patch_all()  # before the imports that it changes
import sys
from urllib.request import urlopen


def is_ok(url):
    with urlopen(url) as response:
        response.read()
        return response.status == 200


def fetch(url):
    try: ok = is_ok(url)
    except Exception: ok = False  # it costs this URL, not the others
    sys.stdout.write(f"{url} {'OK' if ok else 'Bad'}\n")


joinall([spawn(fetch, url) for url in sys.argv[1:]])
