#!/bin/sh
# curl --parallel: libcurl's multi interface. Older versions have 300 transfers at once, at most.
for url; do printf 'url = "%s"\noutput = /dev/null\n' "$url"; done |
  curl -q -sS --parallel --parallel-immediate --parallel-max 300 --max-time 30 --noproxy '*' \
    -A sync-desert/peer-curl -w '%{url} %{response_code} %{exitcode}\n' -K - |
  sed 's/ 200 0$/ OK/; t; s/ [^ ]* [^ ]*$/ Bad/'
