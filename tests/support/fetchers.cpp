#include "fetchers.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "catch.hpp"

const std::vector<Fetcher>& fetchers() {
  static const std::vector<Fetcher> all{
      {"01-sync/fetch", "sync-desert/01-sync", "libcurl", false},
      {"02-threads/fetch", "sync-desert/02-threads", "libcurl", true},
      {"02-threads/processes", "sync-desert/02-threads", "libcurl", true},
      {"03-callbacks/fetch", "sync-desert/03-callbacks", "Boost.Beast", true, true},
      {"04-green-threads/fetch", "sync-desert/04-green-threads", "libcurl", true, true},
      {"04-green-threads/fetch_httplib", "sync-desert/04-green-threads", "cpp-httplib", true, true},
      {"05-coroutines/fetch", "sync-desert/05-coroutines", "Boost.Beast", true, true},
      {"05-coroutines/coexist", "sync-desert/05-coroutines", "libcurl", true, true},
  };
  return all;
}

Lines command(const Fetcher& fetcher, const Lines& urls) {
  Lines all{BUILD_DIR "/" + fetcher.program};
  all.insert(all.end(), urls.begin(), urls.end());
  return all;
}

Result fetch(const Fetcher& fetcher, const Lines& urls, Process::Options options) {
  return run(command(fetcher, urls), options);
}

Lines lines(const std::string& text) {
  Lines all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

Lines each(const Lines& texts, const std::string& end) {
  Lines all;
  for (const auto& text : texts) all.push_back(text + end);
  return all;
}

Lines difference(Lines found, Lines expected) {
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  Lines more, fewer;
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                      std::back_inserter(more));
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                      std::back_inserter(fewer));
  Lines all;
  for (const auto& line : more) all.push_back("+" + line);
  for (const auto& line : fewer) all.push_back("-" + line);
  return all;
}

std::size_t count_ok(const Result& result, const Lines& urls) {
  const Lines out = lines(result.out), err = lines(result.err);
  std::size_t ok = 0;
  Lines expected, explained;
  for (const auto& url : urls) {
    const bool is_ok = std::count(out.begin(), out.end(), url + " OK") > 0;
    ok += is_ok;
    expected.push_back(url + (is_ok ? " OK" : " Bad"));
    if (!is_ok) explained.push_back(url);
  }
  CHECK(difference(out, expected) == Lines());
  Lines with_reason;
  for (const auto& line : err) {
    const auto end = line.find(": ");
    CHECK(line.size() > end + 2);
    with_reason.push_back(line.substr(0, end));
  }
  CHECK(difference(with_reason, explained) == Lines());
  CHECK(result.status == (ok == urls.size() ? 0 : 1));
  return ok;
}
