#include "server.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <list>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "server/certificates.hpp"
#include "socket.hpp"

namespace fs = std::filesystem;

namespace {

constexpr const char* port_names[] = {"http",  "closing", "tls",   "tls12",
                                      "tls13", "ecdsa",   "client"};

// What is before /usr in the paths of its files.
std::string prefix(const Software& software) {
  const std::string program = find(software).value();
  return program.substr(0, program.size() - software.program.size());
}

std::string libraries(const std::string& prefix) {
  std::string all;
  for (const char* folder : {"/usr/lib", "/lib"})
    if (!prefix.empty() && fs::exists(prefix + folder))
      for (const auto& entry : fs::directory_iterator(prefix + folder))
        if (entry.path().string().find("-linux-gnu") != std::string::npos)
          all += entry.path().string() + ':';
  return all;
}

// "ok\n", compressed.
const std::string gzipped(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\xe6\x02\x00\x7d\x0e\x16\xda\x03\x00\x00\x00",
    23);

std::string contents(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_listening(std::uint16_t port) {
  try {
    Socket connected(port);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

template <typename Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, Free<BIO_free_all>> text(BIO_new(BIO_s_mem()));
  if (!text || write(text.get()) != 1) throw std::runtime_error("OpenSSL cannot write PEM");
  const char* start = nullptr;
  const long size = BIO_get_mem_data(text.get(), &start);
  return std::string(start, std::size_t(size));
}

// A key and a certificate for these hosts.
std::string make_pem(const Authority& authority, Key key, const char* hosts) {
  const Certificate certificate = make_certificate("", key.get());
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, hosts));
  if (!names || X509_add_ext(certificate.get(), names.get(), -1) != 1)
    throw std::runtime_error("OpenSSL cannot make a certificate");
  authority.certify(certificate.get());
  return pem([&](BIO* to) {
           return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
         }) +
         pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
}

}  // namespace

std::optional<fs::path> find(const Software& software) {
  for (const char* root : {BUILD_DIR "/servers", ""})
    if (const fs::path program = root + software.program; access(program.c_str(), X_OK) == 0)
      return program;
  return std::nullopt;
}

Certificates::Certificates() {
  const Authority authority;
  const auto rsa = [] { return Key(EVP_RSA_gen(2048)); };
  folder_.write("ca.pem", authority.pem());
  folder_.write("localhost.pem", make_pem(authority, rsa(), "DNS:localhost,IP:127.0.0.1"));
  folder_.write("one.test.pem", make_pem(authority, rsa(), "DNS:one.test"));
  folder_.write("two.test.pem", make_pem(authority, rsa(), "DNS:two.test"));
  folder_.write("ecdsa.pem", make_pem(authority, make_key(), "DNS:localhost,IP:127.0.0.1"));
}

void Certificates::write_to(const Folder& folder) const { fs::copy(folder_.path(), folder.path()); }

RealServer::RealServer(const Software& software, const Certificates& certificates, Values values)
    : software_(software), values_(std::move(values)) {
  certificates.write_to(folder_);
  // Processes of other users serve what root starts.
  fs::permissions(folder_.path(), fs::perms(0755));
  folder_.write("files/file", "ok\n");
  folder_.write("files/zip", gzipped);
  folder_.write("files/huge", "");
  fs::resize_file(folder_.path() / "files/huge", std::uintmax_t{1} << 30);  // takes no space
  values_["folder"] = folder_.path();
  values_["prefix"] = prefix(software_);
  for (int tries = 0; tries < 3; ++tries) {
    choose_ports();
    write_configuration();
    if (start()) return;
  }
  throw std::runtime_error(software_.name + " does not start: " + process_->finish().err);
}

RealServer::~RealServer() {
  process_->signal(SIGTERM);
  const Result result = process_->finish();
  INFO(software_.name << " ended with " << result.status << ": " << result.err);
  CHECK(!result.left_some);  // its status is its own affair
}

void RealServer::choose_ports() {
  std::list<RefusedPort> free;  // all at once, so that they differ
  for (const char* name : port_names) {
    ports_[name] = free.emplace_back().port();
    values_[name] = std::to_string(ports_[name]);
  }
}

void RealServer::write_configuration() const {
  for (const auto& name : {software_.name + ".conf", software_.name + "-paths.conf"}) {
    const fs::path from = fs::path(ROOT_DIR "/tests/real") / name;
    if (!fs::exists(from)) continue;
    std::string text = contents(from);
    for (const auto& [word, value] : values_) replace_all(text, '@' + word + '@', value);
    folder_.write(name, text);
  }
}

bool RealServer::start() {
  // It ends even if this program is killed. A process beside it that sees to this would be its
  // child, and HAProxy waits for all of them.
  std::vector<std::string> command{"setpriv", "--pdeathsig", "TERM", "--", "env"};
  command.push_back("LD_LIBRARY_PATH=" + libraries(prefix(software_)));
  command.push_back(find(software_).value());
  for (std::string option : software_.options) {
    replace_all(option, "@folder@", folder_.path());
    replace_all(option, "@prefix@", prefix(software_));
    command.push_back(option);
  }
  process_ =
      std::make_unique<Process>(command, Process::Options{.time_limit = std::chrono::minutes(4)});
  for (const auto& [name, port] : ports_)
    for (int tries = 0; !is_listening(port); ++tries) {
      if (tries > 1000 || process_->has_ended()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  return true;
}

void RealServer::reload(const std::string& name, const std::string& value) {
  values_[name] = value;
  write_configuration();
  process_->signal(software_.reload);
}
