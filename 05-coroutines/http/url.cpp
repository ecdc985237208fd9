#include "url.hpp"

#include <arpa/inet.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace urls = boost::urls;

namespace {

bool is_clean(const std::string& text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Writes as %XX what people put into paths and queries although no URL may have it, like libcurl.
std::string escape(std::string_view text) {
  text = text.substr(0, text.find('#'));
  const auto slashes = text.find("//");  // the authority follows them, and [::1] may stay
  const bool has_authority = slashes != text.npos && text.find_first_of("/?") == slashes;
  const auto path = has_authority ? text.find_first_of("/?", slashes + 2) : 0;
  std::string escaped(text.substr(0, path));
  const auto is_hex = [&](std::size_t i) {
    return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i]));
  };
  for (auto i = escaped.size(); i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool fine = c == '%' ? is_hex(i + 1) && is_hex(i + 2)
                               : c > ' ' && c < 0x7f && !std::strchr("\"<>[\\]^`{|}", c);
    char code[4];
    if (!fine) std::snprintf(code, sizeof code, "%%%02X", c);
    fine ? escaped += text[i] : escaped += code;
  }
  return escaped;
}

// The path without its segments . and .., as RFC 3986 has it in 5.2.4. Boost 1.81's
// normalize_path() would also make a slash of %2F, and lead to another page.
std::string without_dots(std::string_view path) {
  if (!path.empty() && path.find("/.") == path.npos) return std::string(path);
  std::vector<std::string_view> kept;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    const bool dots = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!dots || path.empty()) kept.push_back(dots ? "" : segment);
  }
  std::string all;
  for (const auto segment : kept) all.append("/").append(segment);
  return all.empty() ? "/" : all;
}

// Boost 1.81 takes 127.0.0.1.test for an address with a path behind it. The host with a letter
// before it is a name, and may lose the letter then.
boost::system::result<urls::url> parse_uri(std::string text) {
  const auto parsed = urls::parse_uri(text);
  const bool cut_off = parsed && parsed->host_type() == urls::host_type::ipv4 &&
                       parsed->encoded_path().starts_with('.');
  if (!cut_off) return parsed;
  text.insert(parsed->encoded_host().data() - text.data(), 1, 'x');
  const auto as_name = urls::parse_uri(text);
  if (!as_name) return as_name;
  urls::url url = *as_name;
  return url.set_host_name(url.host_name().substr(1));
}

// Throws unless `text` is a whole http or https URL. No control character gets past this point.
urls::url parse(const std::string& text) {
  if (!is_clean(text)) throw std::invalid_argument("malformed URL: space or control character");
  auto parsed = parse_uri(escape(text));
  if (!parsed) throw std::invalid_argument("malformed URL");
  urls::url url = std::move(*parsed);
  if (url.scheme_id() != urls::scheme::http && url.scheme_id() != urls::scheme::https)
    throw std::invalid_argument("unsupported protocol " + std::string(url.scheme()));
  const std::string name = url.host_address();  // ".x" would be any subdomain of x to OpenSSL
  if (name.empty() || name.starts_with('.') || !is_clean(name))
    throw std::invalid_argument("malformed URL: no host");
  if (in_addr address; inet_aton(name.c_str(), &address) == 1)  // 127.1, too
    url.set_host_ipv4(urls::ipv4_address(ntohl(address.s_addr)));
  return url;
}

// The port as its digits say: Boost 1.81's port_number() makes 81 of 65617.
std::uint16_t port_of(const urls::url& url, std::uint16_t of_scheme) {
  std::string digits(url.port());
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  const bool is_port = digits.size() < 5 || (digits.size() == 5 && digits <= "65535");
  // Boost 1.81 takes the `x` of http://host:x for a path.
  const std::string_view path = url.encoded_path();
  if (!is_port || (digits.empty() && !url.port().empty()) || (!path.empty() && path[0] != '/'))
    throw std::invalid_argument("malformed URL: no such port");
  return digits.empty() ? of_scheme : static_cast<std::uint16_t>(std::stoi(digits));
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  const std::string who = user + ":" + password;
  std::vector<unsigned char> base64(4 * ((who.size() + 2) / 3) + 1);  // and the NUL behind it
  EVP_EncodeBlock(base64.data(), reinterpret_cast<const unsigned char*>(who.data()),
                  static_cast<int>(who.size()));
  return std::string("Basic ").append(base64.begin(), base64.end() - 1);
}

}  // namespace

Url::Url(const std::string& text) {
  const urls::url url = parse(text);
  is_https = url.scheme_id() == urls::scheme::https;
  has_name = url.host_type() == urls::host_type::name;
  port = port_of(url, is_https ? 443 : 80);
  host = url.host_address();
  if (has_name) host = in_lower_case(host);
  authority = std::string(url.encoded_host_and_port());
  target = without_dots(url.encoded_path());
  if (url.has_query()) target.append("?").append(url.encoded_query());
  if (url.has_userinfo()) authorization = basic_authorization(url.user(), url.password());
}

Url Url::join(std::string link) const {
  for (std::size_t space; (space = link.find(' ')) != link.npos;) link.replace(space, 1, "%20");
  const std::string scheme = is_https ? "https" : "http", origin = scheme + "://" + authority;
  const std::string path = target.substr(0, target.find('?'));
  const std::string start = link.substr(0, link.find_first_of("/?#"));
  if (link.starts_with('#')) return *this;
  if (link.starts_with("//"))
    link = scheme + ":" + link;
  else if (link.starts_with('/'))
    link = origin + link;
  else if (link.starts_with('?'))
    link = origin + path + link;
  else if (start.find(':') == start.npos)
    link = origin + path.substr(0, path.rfind('/') + 1) + link;
  Url to(link);
  const bool is_same_server = to.is_https == is_https && to.host == host && to.port == port;
  if (is_same_server && to.authorization.empty()) to.authorization = authorization;
  return to;
}

std::string Url::certified() const {
  std::string name = host;
  if (name.size() > 1 && name.ends_with('.'))
    name.pop_back();  // it has a meaning only in DNS (RFC 6066)
  return name;
}
