// The contract of `fetch` as a table: each row has one URL, and what every chapter must print for
// it.

#include <curl/curlver.h>
#include <httplib.h>

#include <algorithm>
#include <boost/version.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <list>
#include <map>
#include <optional>
#include <regex>
#include <tuple>
#include <utility>

#include "catch.hpp"
#include "fetchers.hpp"
#include "socket.hpp"
#include "test_server.hpp"

namespace {

enum Pace { quick, slow };  // slow is what takes seconds

// In a URL, {server} is the server's base URL, {port} its http port and {server-port} that of
// {server}; {tls} the base URL of its https
// port and {tls-port} that port, {expired} and its like that of a port with that fault; {v6} the
// base URL of a server on [::1], {refused} that of a port that refuses, {silent} that of one that
// accepts and never says a word, {unasked} that of a server that must see no request.
struct Row {
  const char* name;
  std::string url;
  const char* reason;  // of a Bad: a regular expression for its words, in any case. OK has none.
  Pace pace = quick;

  bool is_ok() const { return !reason; }
  std::string line() const { return url + (is_ok() ? " OK\n" : " Bad\n"); }
};

constexpr const char* OK = nullptr;
constexpr const char* timed_out = "timed out";
constexpr const char* too_many = "redirect";
constexpr const char* unsupported = "protocol|scheme|supported";
constexpr const char* malformed = "url|malformed|format|invalid|port";
constexpr const char* cut_short = "clos|end of|transfer|partial|incomplete|truncated|remaining";
constexpr const char* no_answer = "empty reply|clos|end of stream|reset";
constexpr const char* any = "\\w";

// The URL at which the server sends these bytes, each text as it is, and closes.
std::string raw(const std::string& bytes, unsigned times = 1, const std::string& then = "") {
  static const char digits[] = "0123456789ABCDEF";
  const auto encoded = [](const std::string& text) {
    std::string all;
    for (const unsigned char c : text) all += {'%', digits[c / 16], digits[c % 16]};
    return all;
  };
  std::string url = "{server}/raw?send=" + encoded(bytes);
  if (times > 1) url += "&again=" + std::to_string(times - 1);
  return then.empty() ? url : url + "&send=" + encoded(then);
}

std::string ok_with(const std::string& headers, const std::string& body = "ok") {
  return raw("HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body);
}

std::string over_tls(const std::string& url) { return "{tls}" + url.substr(url.find('}') + 1); }

// For a URL of raw(): sends so many thousand bytes more.
std::string of(unsigned thousands) {
  return "&send=" + std::string(1000, 'x') + "&again=" + std::to_string(thousands - 1) + "&send=";
}

// The URL of an answer with a header field, or a reason phrase, of so many thousand bytes.
const std::string end_of_head = "%0D%0AContent-Length:%200%0D%0A%0D%0A";
std::string field_of(unsigned thousands) {
  return raw("HTTP/1.1 200 OK\r\nX: ") + of(thousands) + end_of_head;
}
std::string reason_phrase_of(unsigned thousands) {
  return raw("HTTP/1.1 200 ") + of(thousands) + end_of_head;
}

// For a URL of raw(): sends so many hundred trailers, and the end of the answer.
std::string trailers(unsigned hundreds) {
  std::string hundred;
  for (int i = 0; i < 100; ++i) hundred += "X:%0D%0A";
  return "&send=" + hundred + "&again=" + std::to_string(hundreds - 1) + "&send=%0D%0A";
}

std::string moved(const std::string& headers) {
  return raw("HTTP/1.1 302 Found\r\n" + headers + "Content-Length: 0\r\n\r\n");
}

const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string end = "\r\nContent-Length: 0\r\n\r\n";            // of a header, and of the head
constexpr const char* refused_login = "HTTP status 401|malformed";  // cpp-httplib takes none

// A URL with a password, which redirects to one below `place` that asks for it.
std::string to_basic_auth(const std::string& place, const std::string& from = "127.0.0.1") {
  return "http://u:p@" + from + ":{port}/redirect-to?url=" + place + "basic-auth/u/p";
}

const std::vector<Row> table{
    // Exactly 200 is OK.
    {"status 200", "{server}/status/200", OK},
    {"status 201", "{server}/status/201", "HTTP status 201"},
    {"status 202", "{server}/status/202", "HTTP status 202"},
    {"status 203", "{server}/status/203", "HTTP status 203"},
    {"status 204", "{server}/status/204", "HTTP status 204"},
    {"status 205", "{server}/status/205", "HTTP status 205"},
    {"status 206", "{server}/status/206", "HTTP status 206"},
    {"status 299", "{server}/status/299", "HTTP status 299"},
    {"status 304", "{server}/status/304", "HTTP status 304"},
    {"status 400", "{server}/status/400", "HTTP status 400"},
    {"status 401", "{server}/status/401", "HTTP status 401"},
    {"status 404", "{server}/status/404", "HTTP status 404"},
    {"status 500", "{server}/status/500", "HTTP status 500"},
    {"status 503", "{server}/status/503", "HTTP status 503"},
    {"redirect without Location", "{server}/status/301", "HTTP status 301"},
    {"no such page", "{server}/nowhere", "HTTP status 404"},
    {"the talk's four sites: twitter", "{server}/twitter", OK},
    {"google", "{server}/google", OK},
    {"yahoo", "{server}/yahoo", OK},
    {"facebook", "{server}/facebook", OK},

    // Redirects.
    {"redirect 301", "{server}/redirect-to?url=/status/200&status_code=301", OK},
    {"redirect 302", "{server}/redirect-to?url=/status/200&status_code=302", OK},
    {"redirect 303", "{server}/redirect-to?url=/status/200&status_code=303", OK},
    {"redirect 307", "{server}/redirect-to?url=/status/200&status_code=307", OK},
    {"redirect 308", "{server}/redirect-to?url=/status/200&status_code=308", OK},
    {"status 300 is no redirect", "{server}/status/300", "HTTP status 300"},
    {"300 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=300", "status 300"},
    {"304 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=304", "status 304"},
    {"305 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=305", "status 305"},
    {"399 with a Location is none", "{server}/redirect-to?url=/gzip&status_code=399", "status 399"},
    {"redirect to a 404", "{server}/redirect-to?url=/status/404", "HTTP status 404"},
    {"10 redirects", "{server}/redirect/10", OK},
    {"11 redirects", "{server}/redirect/11", too_many},
    {"relative redirects", "{server}/relative-redirect/3", OK},
    {"10 relative redirects", "{server}/relative-redirect/10", OK},
    {"11 relative redirects", "{server}/relative-redirect/11", too_many},
    {"absolute redirects", "{server}/absolute-redirect/10", OK},
    {"11 absolute redirects", "{server}/absolute-redirect/11", too_many},
    {"redirect to another host", "{server}/redirect-to?url=http://localhost:{port}/gzip", OK},
    {"redirect to //host", "{server}/redirect-to?url=//localhost:{server-port}/gzip", OK},
    {"redirect to ?query", "{server}/redirect-to?url=?url=/status/200", OK},
    {"redirect loop", "{server}/redirect-loop", too_many},
    {"slow redirect", "{server}/redirect-to?url=/delay/3&delay=3", OK, slow},
    {"redirect whose body hangs",
     raw("HTTP/1.1 302 Found\r\nLocation: /gzip\r\nContent-Length: 9\r\n\r\n") + "&pause=20", OK,
     slow},
    {"one deadline for all hops", "{server}/redirect-to?url=/delay/6&delay=6", timed_out, slow},
    {"redirect to file:", "{server}/redirect-to?url=file:///etc/hostname", unsupported},
    {"redirect to ftp:", "{server}/redirect-to?url=ftp://127.0.0.1:{port}/", unsupported},
    {"redirect to mailto:", "{server}/redirect-to?url=mailto:status/200", any},
    {"redirect to a refused port", "{server}/redirect-to?url={refused}/", "connect|refused"},

    // Bodies.
    {"empty body", "{server}/bytes/0", OK},
    {"1 byte", "{server}/bytes/1", OK},
    {"1 MB", "{server}/bytes/1000000", OK},
    {"50 MB", "{server}/bytes/50000000", OK},
    {"chunked", "{server}/stream/20", OK},
    {"chunked, long", "{server}/stream/20000", OK},
    {"chunked, empty", "{server}/stream/0", OK},
    {"gzip", "{server}/gzip", OK},
    {"no length", "{server}/no-length", OK},
    {"slow, but within the deadline", "{server}/drip?numbytes=5&duration=3&delay=1", OK, slow},
    {"late, but within the deadline", "{server}/delay/7.5", OK, slow},
    {"dripping beyond the deadline", "{server}/drip?numbytes=60&duration=30", timed_out, slow},
    {"truncated", "{server}/truncate", cut_short},
    {"truncated chunks", "{server}/truncate-chunked", cut_short},
    {"endless body", "{server}/endless-body", timed_out, slow},

    // Hostile servers.
    {"hang", "{server}/hang", timed_out, slow},
    {"later than the deadline", "{server}/delay/15", timed_out, slow},
    {"slow headers", "{server}/slow-headers", timed_out, slow},
    {"endless headers", "{server}/endless-headers", any},
    {"garbage", "{server}/garbage", any},
    {"closed without an answer", "{server}/close", no_answer},
    {"reset", "{server}/rst", "reset"},
    {"port that refuses", "{refused}/", "connect|refused"},
    {"name that takes for ever", "http://slow.test/", timed_out, slow},
    {"name that does not exist", "http://nope.invalid/", "resolve|host"},

    // Heads.
    {"100 before the answer", raw("HTTP/1.1 100 Continue\r\n\r\n" + whole), OK},
    {"103 before the answer", raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole), OK},
    {"102 before the answer", raw("HTTP/1.1 102 Processing\r\n\r\n" + whole), OK},
    {"1,000 times 103 before it", raw("HTTP/1.1 103 Early Hints\r\n\r\n", 1000, whole), OK},
    {"only a 100", raw("HTTP/1.1 100 Continue\r\n\r\n"), any},
    {"names in odd case", ok_with("cOnTeNt-LeNgTh: 2\r\n"), OK},
    {"no space after the colon", ok_with("Content-Length:2\r\n"), OK},
    {"spaces around a value", ok_with("Content-Length: \t 2 \t \r\n"), OK},
    {"an empty value", ok_with("X-Header:\r\nContent-Length: 2\r\n"), OK},
    {"a value beyond ASCII", ok_with("X-Header: \xc3\xa9\xff\r\nContent-Length: 2\r\n"), OK},
    {"no reason phrase", raw("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"), OK},
    {"nothing after the status", raw("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), OK},
    {"HTTP/2 in a status line", raw("HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok"), any},
    {"HTTP/1.0 with a length", raw("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), OK},
    {"HTTP/1.0 without one", raw("HTTP/1.0 200 OK\r\n\r\nall there is"), OK},
    {"lines that end with LF", raw("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), any},
    {"status of four digits", raw("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), any},
    {"status of two digits", raw("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), any},
    {"no protocol version", raw("HTTP 200 OK\r\nContent-Length: 0\r\n\r\n"), any},
    {"a header without a colon", ok_with("nonsense\r\nContent-Length: 2\r\n"), any},
    {"a NUL in a header", ok_with(std::string("X: a\0b\r\nContent-Length: 2\r\n", 27)), any},
    {"a header cut off", raw("HTTP/1.1 200 OK\r\nContent-Len"), any},
    {"a reason phrase of 20 KB", reason_phrase_of(20), OK},
    {"a reason phrase of 40 KB", reason_phrase_of(40), OK},
    {"a reason phrase of 200 KB", reason_phrase_of(200), any},
    {"a reason phrase of 8 MB", reason_phrase_of(8000), any},
    {"a status line without an end", raw("HTTP/1.1 200 ") + of(100'000), any},
    {"a head of 4 KB", ok_with("X: " + std::string(4000, 'x') + "\r\nContent-Length: 2\r\n"), OK},
    {"a field of 10 KB", field_of(10), OK},
    {"a header of 100 KB", raw("HTTP/1.1 200 OK\r\nX:" + std::string(1024, 'x'), 101, end), OK},
    {"a field of 70,000 bytes", field_of(70), OK},
    {"a field of 200,000 bytes", field_of(200), any},
    {"a header of 10 MB", raw("HTTP/1.1 200 OK\r\nX:" + std::string(4096, 'x'), 2500, end), any},
    {"10 MB of headers", raw("X-Header: " + std::string(1000, 'x') + "\r\n", 10'000, end), any},

    // The length of a body.
    {"two lengths, the same", ok_with("Content-Length: 2\r\nContent-Length: 2\r\n"), OK},
    {"two lengths, the second is right",
     ok_with("Content-Length: 3\r\nContent-Length: 5\r\n", "12345"), any},
    {"two lengths that differ", ok_with("Content-Length: 2\r\nContent-Length: 3\r\n"), any},
    {"a negative length", ok_with("Content-Length: -2\r\n"), any},
    {"a length that is no number", ok_with("Content-Length: two\r\n"), any},
    {"a length with a sign", ok_with("Content-Length: +2\r\n"), any},
    {"a length in hexadecimal", ok_with("Content-Length: 0x2\r\n"), any},
    {"two lengths in one field", ok_with("Content-Length: 2, 3\r\n"), any},
    {"a space before the colon", ok_with("Content-Length : 2\r\n"), any},
    {"a length beyond 64 bits", ok_with("Content-Length: 99999999999999999999\r\n"), any},
    {"a length of 2^63", ok_with("Content-Length: 9223372036854775808\r\n"), any},
    {"a length of 2^64 - 1", ok_with("Content-Length: 18446744073709551615\r\n"), any},
    {"a length of 30 zeros and 2", ok_with("Content-Length: " + std::string(30, '0') + "2\r\n"),
     OK},
    {"a body longer than its length", ok_with("Content-Length: 2\r\n", "ok and more"), OK},
    {"keep-alive, and closed", ok_with("Connection: keep-alive\r\nContent-Length: 2\r\n"), OK},
    {"chunks with a length", ok_with("Content-Length: 3\r\n" + chunked, "2\r\nok\r\n0\r\n\r\n"),
     OK},
    {"trailers", ok_with(chunked, "2\r\nok\r\n0\r\nX-Trailer: x\r\n\r\n"), OK},
    {"a million trailers", raw("HTTP/1.1 200 OK\r\n" + chunked + "\r\n0\r\n") + trailers(10'000),
     any},
    {"a chunk's extension", ok_with(chunked, "2;name=value\r\nok\r\n0\r\n\r\n"), OK},
    {"a chunk's extension of 8 MB",
     ok_with(chunked, "2;x=") + of(8000) + "%0D%0Aok%0D%0A0%0D%0A%0D%0A", any},
    {"chunk sizes in upper case", ok_with(chunked, "A\r\n0123456789\r\n0\r\n\r\n"), OK},
    {"a chunk size that is no number", ok_with(chunked, "two\r\nok\r\n0\r\n\r\n"), any},
    {"a chunk size beyond 64 bits", ok_with(chunked, "10000000000000002\r\nok\r\n0\r\n\r\n"), any},
    {"a chunk longer than its size", ok_with(chunked, "1\r\nok\r\n0\r\n\r\n"), any},
    {"a chunk cut off", ok_with(chunked, "ff\r\nok"), any},
    {"no end of chunks", ok_with(chunked, "2\r\nok\r\n0\r\n"), any},
    {"gzip that is none", ok_with("Content-Encoding: gzip\r\nContent-Length: 2\r\n"), OK},
    {"an unknown encoding", ok_with("Content-Encoding: x\r\nContent-Length: 2\r\n"), OK},

    // Where a redirect leads.
    {"Location in odd case", moved("lOcAtIoN: /status/200\r\n"), OK},
    {"an empty Location", moved("Location: \r\n"), "HTTP status 302"},
    {"Location: name", "{server}/redirect-to?url=gzip", OK},
    {"Location: ./name", "{server}/redirect-to?url=./gzip", OK},
    {"Location: ../name", "{server}/redirect-to?url=../gzip", OK},
    {"Location: /path#fragment", "{server}/redirect-to?url=/gzip%23fragment", OK},
    {"Location: HTTP://", "{server}/redirect-to?url=HTTP://127.0.0.1:{port}/gzip", OK},
    {"Location: http://host", "{server}/redirect-to?url=http://127.0.0.1:{port}", OK},
    {"Location: http://host?query", "{server}/redirect-to?url=http://127.0.0.1:{port}?x", OK},
    {"Location: #fragment", moved("Location: #fragment\r\n"), "HTTP status 302"},
    {"Location with a space", "{server}/redirect-to?url=/gzip?a%20b", OK},
    {"Location beyond ASCII", moved("Location: /gzip?\xc3\xa9\r\n"), OK},
    {"Location with a long query", "{server}/redirect-to?url=/gzip?" + std::string(4000, 'x'), OK},
    {"Location: javascript:", "{server}/redirect-to?url=javascript:alert(1)", any},
    {"Location: mailto:", "{server}/redirect-to?url=mailto:a@b.c", any},
    {"Location: data:", "{server}/redirect-to?url=data:,x", any},
    {"Location: gopher:", "{server}/redirect-to?url=gopher://127.0.0.1:{port}/", unsupported},
    {"Location: http://", "{server}/redirect-to?url=http://", any},
    {"Location with no such port", "{server}/redirect-to?url=http://127.0.0.1:65536/", malformed},
    {"Location with a tab", moved("Location: /gzip?a\tb\r\n"), any},

    // User and password. A password stays with the server it is for.
    {"user and password", "http://u:p@127.0.0.1:{port}/basic-auth/u/p", OK},
    {"user and password in percent codes", "http://%75:%70@127.0.0.1:{port}/basic-auth/u/p", OK},
    {"the wrong ones", "http://u:x@127.0.0.1:{port}/basic-auth/u/p", refused_login},
    {"none", "{server}/basic-auth/u/p", "HTTP status 401"},
    {"user and password, unasked for", "http://u:p@127.0.0.1:{port}/status/200", OK},
    {"user and password, redirected", to_basic_auth("/"), OK},
    {"user and password, redirected by name", to_basic_auth("http://127.0.0.1:{port}/"), OK},
    {"user and password, redirected to HOST",
     to_basic_auth("http://LOCALHOST:{port}/", "localhost"), OK},
    {"to another host", to_basic_auth("http://localhost:{port}/"), refused_login},
    {"to another port", to_basic_auth("{other}/"), refused_login},
    {"to another scheme", to_basic_auth("{tls}/"), refused_login},

    // TLS.
    {"https", "{tls}/status/200", OK},
    {"https by name", "https://localhost:{tls-port}/status/200", OK},
    {"https, IPv6", "{v6-tls}/status/200", OK},
    {"the name is told to the server", "https://localhost:{tls-port}/server-name/localhost", OK},
    {"https, an IPv4 address in short", "https://127.1:{tls-port}/status/200", OK},
    {"https, a host with a dot at the end", "https://localhost.:{tls-port}/status/200", OK},
    {"https, a host with a dot at the start", "https://.localhost:{tls-port}/status/200", any},
    {"https, a dot alone for a host", "https://.:{tls-port}/status/200", any},
    {"https, 404", "{tls}/status/404", "HTTP status 404"},
    {"http to https", "{server}/redirect-to?url={tls}/status/200", OK},
    {"https to http", "{tls}/redirect-to?url={server}/status/200", OK},
    {"http to https to http", "{server}/redirect-to?url={tls}/redirect-to?url={server}/gzip", OK},
    {"https, 10 redirects", "{tls}/redirect/10", OK},
    {"https, 20 MB", "{tls}/bytes/20000000", OK},
    {"https, truncated", "{tls}/truncate", any},
    {"https, closed without an answer", "{tls}/close", any},
    {"https, reset", "{tls}/rst", any},
    {"https, hang", "{tls}/hang", timed_out, slow},
    {"no length, over https", "{tls}/no-length", OK},
    {"HTTP/1.0 without one, over https", over_tls(raw("HTTP/1.0 200 OK\r\n\r\nall there is")), OK},
    {"no close_notify, whole body", "{tls}/no-close-notify/whole", OK},
    {"no close_notify, truncated", "{tls}/no-close-notify/truncate", any},
    {"no close_notify, no length", "{tls}/no-close-notify/no-length", any},
    {"expired certificate", "{expired}/", "expired"},
    {"certificate not valid yet", "{not valid yet}/", "not yet valid"},
    {"certificate of another host", "{wrong host}/", "mismatch|subject name|another host"},
    {"self-signed certificate", "{self-signed}/", "self-signed"},
    {"certificate of an unknown authority", "{unknown authority}/", "issuer"},
    {"certificate not for servers", "{not for servers}/", "purpose"},
    {"redirect to an expired certificate", "{server}/redirect-to?url={expired}/", "expired"},
    {"TLS 1.1", "{TLS 1.1}/", any},
    {"https on the http port", "https://127.0.0.1:{port}/", any},
    {"http on the https port", "http://127.0.0.1:{tls-port}/", any},
    {"https to a port that is silent", "https://127.0.0.1:{silent-port}/", timed_out, slow},
    {"http to a port that is silent", "http://127.0.0.1:{silent-port}/", timed_out, slow},
    {"https to a port that refuses", "https://127.0.0.1:{refused-port}/", "connect|refused"},

    // URLs.
    {"a query without a path", "{server}?query", OK},
    {"no path", "{server}", OK},
    {"a name that resolves", "http://localhost:{port}/status/200", OK},
    {"a fragment", "{server}/status/200#fragment", OK},
    {"a percent code", "{server}/status/2%30%30", OK},
    {"percent-encoded CR LF", "{server}/status/200?%0D%0AX-Header:%20x", OK},
    {"a scheme in upper case", "HTTP://127.0.0.1:{port}/status/200", OK},
    {"a host in upper case", "http://LOCALHOST:{port}/status/200", OK},
    {"dots in the path", "{server}/x/./../status/200", OK},
    {"8 KB", "{server}/status/200?" + std::string(8000, 'x'), OK},
    {"percent-encoded NUL", "{server}/status/200?%00", OK},
    {"bytes that are no UTF-8", "{server}/status/200?\xff\xfe", OK},
    {"UTF-8", "{server}/status/200?\xc3\xa9", OK},
    {"characters that no URL may hold", "{server}/status/200?\"<>[]\\^`{|}", OK},
    {"an IPv4 address in short", "http://127.1:{port}/status/200", OK},
    {"an empty fragment", "{server}/status/200#", OK},
    {"a query after two question marks", "{server}/status/200?a?b", OK},
    {"below localhost", "http://www.localhost:{port}/status/200", OK},
    {"a host with a dot at the end", "http://name.test.:{port}/status/200", OK},
    {"localhost with a dot at the end", "http://localhost.:{port}/status/200", OK},
    {"a name that starts with an address", "http://127.0.0.1.test:{port}/status/200", OK},
    {"a host beyond ASCII", "http://\xef\xbd\x8cocalhost:{port}/status/200", any},
    {"a host beyond ASCII that does not exist", "http://b\303\274cher.invalid/", any},
    {"one slash", "http:/127.0.0.1:{port}/status/200", malformed},
    {"three slashes", "http:///127.0.0.1:{port}/status/200", malformed},
    {"no scheme but slashes", "//127.0.0.1:{port}/status/200", any},
    {"port 0", "http://127.0.0.1:0/", any},
    {"a port that nobody has", "http://127.0.0.1:65535/", "connect|refused"},
    {"a negative port", "http://127.0.0.1:-1/", malformed},
    {"percent-encoded NUL in the host", "http://127.0.0.1%00x:{port}/", any},
    {"a host name of 300 characters", "http://" + std::string(300, 'x') + ".invalid/", any},
    {"IPv6", "{v6}/status/200", OK},
    {"IPv4 within IPv6", "http://[::ffff:127.0.0.1]:{port}/status/200", OK},
    {"IPv6, with a zone", "http://[::1%25lo]:{v6-port}/status/200", OK},
    {"empty", "", any},
    {"blank", " ", any},
    {"no scheme", "127.0.0.1:{port}/status/200", any},
    {"a word", "nonsense", any},
    {"only a scheme", "http://", malformed},
    {"a scheme without a host", "http:///", malformed},
    {"unknown scheme", "gopher://127.0.0.1:{port}/", unsupported},
    {"ftp:", "ftp://127.0.0.1:{port}/", unsupported},
    {"file:", "file:///etc/hostname", unsupported},
    {"port that is no number", "http://127.0.0.1:http/", malformed},
    {"port beyond 65535", "http://127.0.0.1:65536/", malformed},
    {"port beyond 65535 by one turn", "http://127.0.0.1:{port + 65536}/status/200", malformed},
    {"port with zeros before it", "http://127.0.0.1:000{port}/status/200", OK},
    {"IPv6 unclosed", "http://[::1/", any},
    {"space", "{unasked}/status/200 x", any},
    {"space at the end", "{unasked}/status/200 ", any},
    {"space at the start", " {unasked}/status/200", any},
    {"tab", "{unasked}/status/200\t", any},
    {"control character", "{unasked}/status/200?\x01", any},
    {"DEL", "{unasked}/status/200?\x7f", any},
    {"CR LF", "{unasked}/status/200?\r\nX-Header: x", any},
    {"CR LF and a second request", "{unasked}/ HTTP/1.1\r\nHost: x\r\n\r\nGET /status/200", any},
    {"LF at the end", "{unasked}/status/200\n", any},
    {"CR", "{unasked}/status/200?\rx", any},
    {"LF in the query", "{unasked}/status/200?x=\ny", any},
    {"CR LF in the fragment", "{unasked}/status/200#\r\nX-Header: x", any},
    {"LF in the host", "http://127.0.0.1\n/", any},
    {"space in the host", "http://127.0.0.1 /", any},
};

// Where the engines differ by nature: those named say the opposite of what the row does. Some do so
// in some versions only: `libcurl before 8.14`, `libcurl from 8.14`. DIFFERENCES.md says why.
const std::map<std::string, std::string> exceptions{
    {"102 before the answer", "cpp-httplib"},
    {"103 before the answer", "cpp-httplib"},
    {"1,000 times 103 before it", "cpp-httplib"},
    {"nothing after the status", "Boost.Beast"},
    {"HTTP/2 in a status line", "libcurl before 8.14"},
    {"lines that end with LF", "libcurl"},
    {"a header without a colon", "cpp-httplib before 0.18"},
    {"a NUL in a header", "cpp-httplib before 0.18"},
    {"status of four digits", "libcurl from 8.14"},
    {"Location with a tab", "libcurl from 8.14"},
    {"a header of 100 KB", "cpp-httplib"},
    {"no end of chunks", "cpp-httplib from 0.18 before 0.41"},
    {"a header cut off", "libcurl"},
    {"user and password, redirected to HOST", "cpp-httplib, libcurl from 8.14"},
    {"redirect whose body hangs", "cpp-httplib, libcurl"},
    {"two lengths that differ", "cpp-httplib before 0.18"},
    {"a length with a sign", "cpp-httplib before 0.18, libcurl before 8.14"},
    {"a length in hexadecimal", "cpp-httplib before 0.18, libcurl before 8.23"},
    {"two lengths in one field", "cpp-httplib before 0.18, libcurl before 8.23"},
    {"a space before the colon", "cpp-httplib before 0.41, libcurl"},
    {"a length that is no number", "cpp-httplib before 0.18"},
    {"a reason phrase of 40 KB", "cpp-httplib"},
    {"a field of 10 KB", "cpp-httplib"},
    {"two lengths, the second is right", "cpp-httplib before 0.41, libcurl before 8.23"},
    {"a field of 70,000 bytes", "cpp-httplib"},
    {"a length of 2^63", "libcurl"},
    {"a length of 2^64 - 1", "libcurl"},
    {"a length beyond 64 bits", "libcurl"},
    {"a chunk's extension of 8 MB", "libcurl"},
    {"chunks with a length", "Boost.Beast"},
    {"a chunk longer than its size", "cpp-httplib before 0.18"},
    {"trailers", "cpp-httplib before 0.18"},
    {"user and password", "cpp-httplib"},
    {"user and password in percent codes", "cpp-httplib"},
    {"user and password, unasked for", "cpp-httplib"},
    {"user and password, redirected", "cpp-httplib"},
    {"user and password, redirected by name", "cpp-httplib, libcurl from 8.14"},
    {"no length, over https", "cpp-httplib from 0.41"},
    {"HTTP/1.0 without one, over https", "cpp-httplib from 0.41"},
    {"no close_notify, no length", "cpp-httplib before 0.41, libcurl before 8.14"},
    {"IPv6, with a zone", "Boost.Beast before 1.83, Boost.Beast from 1.92, cpp-httplib"},
    {"IPv4 within IPv6", "cpp-httplib"},
    {"dots in the path", "cpp-httplib"},
    {"one slash", "libcurl"},
    {"three slashes", "libcurl"},
};

// Such as {8, 14} of libcurl 8.14.1: what is here, and what the programs are linked with.
std::pair<int, int> version(const std::string& engine) {
  if (engine == "libcurl") return {LIBCURL_VERSION_MAJOR, LIBCURL_VERSION_MINOR};
  if (engine == "Boost.Beast") return {BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1000};
  std::pair<int, int> found;
  std::sscanf(CPPHTTPLIB_VERSION, "%d.%d", &found.first, &found.second);
  return found;
}

// Whether the engine, in the version that is here, is one of those that are named.
bool is_named(const std::string& engine, const std::string& names) {
  static const std::regex name(
      "([^ ,]+)(?: from (\\d+)\\.(\\d+))?(?: before (\\d+)\\.(\\d+))?(, |$)");
  for (std::sregex_iterator at(names.begin(), names.end(), name), none; at != none; ++at) {
    const auto bound = [&at](int group) {
      return std::pair(std::stoi((*at)[group]), std::stoi((*at)[group + 1]));
    };
    if ((*at)[1] == engine && (!(*at)[2].matched || version(engine) >= bound(2)) &&
        (!(*at)[4].matched || version(engine) < bound(4)))
      return true;
  }
  return false;
}

bool is_exception(const Fetcher& fetcher, const Row& row) {
  const auto found = exceptions.find(row.name);
  return found != exceptions.end() && is_named(fetcher.engine, found->second);
}

std::string port_of(const std::string& url) { return url.substr(url.rfind(':') + 1); }

bool needs_names(const std::string& url) {
  return url.find(".test") != std::string::npos || url.find("localhost.") != std::string::npos;
}

// The servers that a table's URLs lead to.
class Places {
 public:
  // In place of {server} stands what `server` stands for: the table can be gone through over TLS.
  explicit Places(const std::string& server = "server") {
    if (has_ipv6()) v6_.emplace(Lines{"--host", "::1", "--tls-port", "0"});
    if (v6_) {  // has an authority of its own, to be trusted as well
      std::ofstream(server_.ca_file(), std::ios::app) << std::ifstream(v6_->ca_file()).rdbuf();
    }
    set("server", server_.url());
    set("port", port_of(server_.url()));
    set("port + 65536", std::to_string(65536 + server_.port()));
    set("tls", server_.tls_url());
    set("tls-port", port_of(server_.tls_url()));
    for (const char* fault : {"expired", "not valid yet", "wrong host", "self-signed",
                              "unknown authority", "not for servers", "TLS 1.1"})
      set(fault, server_.tls_url(fault));
    set("other", other_.url());
    set("v6", v6_ ? v6_->url() : "");
    set("v6-port", v6_ ? port_of(v6_->url()) : "");
    set("v6-tls", v6_ ? v6_->tls_url() : "");
    set("refused", refused_.url(""));
    set("refused-port", std::to_string(refused_.port()));
    set("silent-port", std::to_string(silent_.port()));
    set("unasked", unasked_.url());
    values_["{server}"] = values_.at('{' + server + '}');
    set("server-port", port_of(values_["{server}"]));
  }

  // The table's rows that this machine can have, with whole URLs.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (Row row : table) {
      if (!v6_ && row.url.find("{v6") != std::string::npos) continue;
      if (sanitized && needs_names(row.url)) continue;  // which they do not load
      for (const auto& [name, value] : values_)
        for (std::size_t at; (at = row.url.find(name)) != std::string::npos;)
          row.url.replace(at, name.size(), value);
      all.push_back(row);
    }
    return all;
  }

  // The fetcher's command, with the servers' authorities to be trusted.
  Lines command(const Fetcher& fetcher, const Lines& urls) const {
    Lines all{"env", "SSL_CERT_FILE=" + server_.ca_file()};
    if (!sanitized) all.push_back("LD_PRELOAD=" NAMES);
    for (const auto& word : ::command(fetcher, urls)) all.push_back(word);
    return all;
  }

  unsigned requests_to_unasked() const { return unasked_.stats().requests; }

 private:
  void set(const std::string& name, const std::string& value) { values_['{' + name + '}'] = value; }

  Server server_{{"--tls-port", "0", "--bad-tls"}}, other_, unasked_;
  std::optional<Server> v6_;
  RefusedPort refused_;
  Listener silent_;
  std::map<std::string, std::string> values_;
};

// One fetcher on one row.
struct Case {
  const Fetcher& fetcher;
  const Row& row;
  Process process;

  Case(const Places& places, const Fetcher& its_fetcher, const Row& its_row)
      : fetcher(its_fetcher),
        row(its_row),
        process(places.command(fetcher, {row.url}), {.time_limit = std::chrono::seconds(25)}) {}

  void check() {
    const Result result = process.finish();
    INFO(fetcher.program << ": " << row.name << ": " << row.url);
    INFO("stderr: " << result.err);
    CHECK(!result.timed_out);
    const bool ok = row.is_ok() != is_exception(fetcher, row);
    CHECK(result.out == row.url + (ok ? " OK\n" : " Bad\n"));
    CHECK(result.status == (ok ? 0 : 1));
    CHECK(result.orphans == 0);
    if (!sanitized) CHECK(result.peak_kib <= (row.is_ok() ? 25'000 : 40'000));
    if (ok) {
      CHECK(result.err == "");
    } else {
      check_reason(result.err);
    }
  }

 private:
  void check_reason(const std::string& err) const {
    const std::string start = row.url + ": ";
    CHECK(err.substr(0, start.size()) == start);
    const std::string reason = err.substr(std::min(start.size(), err.size()));
    CHECK(reason.find('\n') == reason.size() - 1);
    const char* pattern = row.is_ok() || is_exception(fetcher, row) ? any : row.reason;
    CHECK(std::regex_search(reason, std::regex(pattern, std::regex::icase)));
  }
};

// The cases under way, at most so many at once.
class Window {
 public:
  Window(const Places& places, std::size_t width) : places_(places), width_(width) {}

  void add(const Fetcher& fetcher, const Row& row) {
    if (cases_.size() == width_) check_first();
    cases_.emplace_back(places_, fetcher, row);
  }

  void check_all() {
    while (!cases_.empty()) check_first();
  }

 private:
  void check_first() {
    cases_.front().check();
    cases_.pop_front();
  }

  const Places& places_;
  std::size_t width_;
  std::list<Case> cases_;
};

}  // namespace

TEST_CASE("conformance: every fetcher says to every row of the table what it must") {
  const Places places;
  const std::vector<Row> rows = places.rows();
  Window of_slow(places, rows.size() * fetchers().size()), of_quick(places, 24);
  for (const Pace pace : {slow, quick})
    for (const auto& row : rows)
      for (const auto& fetcher : fetchers())
        if (row.pace == pace) (pace == slow ? of_slow : of_quick).add(fetcher, row);
  of_quick.check_all();
  of_slow.check_all();
  CHECK(places.requests_to_unasked() == 0);
}

TEST_CASE("conformance: an exception may be one of some versions") {
  CHECK(is_named("libcurl", "cpp-httplib, libcurl"));
  CHECK(is_named("libcurl", "libcurl from 7.88, cpp-httplib"));
  CHECK(!is_named("libcurl", "libcurl from 1000.0"));
  CHECK(is_named("libcurl", "cpp-httplib from 1000.0, libcurl before 1000.0"));
  CHECK(!is_named("libcurl", "libcurl before 7.88"));
  CHECK(is_named("libcurl", "libcurl before 7.88, libcurl from 7.88 before 1000.0"));
  CHECK(!is_named("libcurl", "libcurl from 7.0 before 7.88"));
  CHECK(!is_named("libcurl", "cpp-httplib"));
}

// Measured where the server is: from the moment at which it has the request until the client hangs
// up. A busy machine can delay both, so one of four attempts must be within the limits.
TEST_CASE("conformance: the deadline is the same 10 s for all") {
  using namespace std::chrono;
  std::vector<Fetcher> left = fetchers();
  for (int attempt = 0; attempt < 4 && !left.empty(); ++attempt) {
    struct Run {
      Listener listener;
      Process process;
      std::optional<Socket> client;
      steady_clock::time_point asked;
      explicit Run(const Fetcher& fetcher) : process(command(fetcher, {listener.url("/")})) {
        client.emplace(listener.accept());
        client->receive_until("\r\n\r\n");
        asked = steady_clock::now();
      }
    };
    std::list<Run> runs;
    for (const auto& fetcher : left) runs.emplace_back(fetcher);
    std::vector<Fetcher> missed;
    auto fetcher = left.begin();
    for (Run& one : runs) {
      one.client->receive();
      const auto time = duration_cast<milliseconds>(steady_clock::now() - one.asked);
      const Result result = one.process.finish();
      INFO(fetcher->program << ", after " << time.count() << " ms");
      CHECK(result.out == one.listener.url("/") + " Bad\n");
      if (time < milliseconds(9'800) || time > milliseconds(10'200)) missed.push_back(*fetcher);
      ++fetcher;
    }
    left = missed;
  }
  for (const auto& fetcher : left) FAIL_CHECK(fetcher.program << " does not end after 10 s");
}

TEST_CASE("conformance: the page of differences lists each exception, and no other") {
  std::ifstream page(ROOT_DIR "/tests/DIFFERENCES.md");
  Lines told, expected;
  bool in_table = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| case | verdict |", 0) == 0) in_table = true;
    if (line.empty()) in_table = false;
    static const std::regex entry("\\| (.*?) \\| (OK|Bad) \\| (.*?) \\| .+ \\|");
    if (std::smatch match; in_table && std::regex_match(line, match, entry))
      told.push_back(match.format("$1: $2, not so with $3"));
  }
  for (const auto& row : table)
    if (const auto found = exceptions.find(row.name); found != exceptions.end())
      expected.push_back(std::string(row.name) + (row.is_ok() ? ": OK" : ": Bad") +
                         ", not so with " + found->second);
  CHECK(expected.size() == exceptions.size());
  CHECK(difference(told, expected) == Lines());
}

namespace {

// All rows, each so many times, on a command line for each fetcher; or on several, of `part` rows.
void check_together(const char* server, std::size_t part, std::size_t times) {
  const Places places(server);
  std::vector<Row> rows = places.rows();
  std::erase_if(rows, [](const Row& row) {
    return row.pace == slow || exceptions.contains(row.name) ||
           exceptions.contains(row.name + std::string(", over https")) ||
           row.url.ends_with("0000000");  // tens of MB, twice, by all
  });
  for (std::size_t from = 0; from < rows.size(); from += part) {
    Lines urls, expected;
    for (std::size_t i = from * times; i < times * std::min(from + part, rows.size()); ++i) {
      urls.push_back(rows[i / times].url);
      for (const auto& line : lines(rows[i / times].line())) expected.push_back(line);
    }
    const bool all_ok = std::ranges::all_of(
        expected, [](const std::string& line) { return line.ends_with(" OK"); });
    const auto check = [&](const Fetcher& fetcher, const Result& result) {
      INFO(fetcher.program << ", {server} is {" << server << "}, from " << rows[from].name
                           << " on");
      CHECK(result.status == (all_ok ? 0 : 1));
      CHECK(result.orphans == 0);
      CHECK(difference(lines(result.out), expected) == Lines());
    };
    // One after the other takes longest, and mostly waits: the others come meanwhile.
    std::list<std::pair<Fetcher, Process>> waiting;
    for (const auto& fetcher : fetchers())
      if (!fetcher.concurrent)
        waiting.emplace_back(std::piecewise_construct, std::tuple(fetcher),
                             std::forward_as_tuple(places.command(fetcher, urls)));
    for (const auto& fetcher : fetchers())
      if (fetcher.concurrent) check(fetcher, run(places.command(fetcher, urls)));
    for (auto& [fetcher, process] : waiting) check(fetcher, process.finish());
  }
  CHECK(places.requests_to_unasked() == 0);
}

}  // namespace

TEST_CASE("conformance: every fetcher says the same when all rows are on one command line") {
  check_together("server", table.size(), sanitized ? 1 : 2);
}

// A row takes up to 11 handshakes, and each URL has its 10 s however busy the machine is: not
// all of them can be on one command line.
TEST_CASE("conformance: every fetcher says the same over https when many rows are together") {
  check_together("tls", 10, 1);
}
