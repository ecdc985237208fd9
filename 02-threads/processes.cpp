// Fetches the URLs all at once: 01 with a child process per URL, as Python's multiprocessing does.
// Processes share no memory, so nothing needs a lock: the verdict comes home as an exit status.
// Only the parent prints to stdout; a child says the reason on stderr before it leaves.

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Verdict {
  bool ok;
  std::string reason;  // why not, in words for a person
};

int exit_status = 0;

// #region is_ok
// libcurl would follow any 3xx that has a Location. It is told with each header which ones do.
size_t follow_redirects(char*, size_t size, size_t count, void* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const bool redirect = (status >= 301 && status <= 303) || status == 307 || status == 308;
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, redirect ? 1L : 0L);
  return size * count;
}

size_t discard(char*, size_t size, size_t count, void*) { return size * count; }

// Whether `url` answers 200 in full, over at most 10 redirects and within 10 s for all of it.
Verdict is_ok(const std::string& url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* curl = owner.get();
  if (!curl) return {false, "out of memory"};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "none");  // a scheme is not guessed
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, follow_redirects);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, curl);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // nor wait for a slow DNS server
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);  // or newer
  if (const char* file = std::getenv("SSL_CERT_FILE")) curl_easy_setopt(curl, CURLOPT_CAINFO, file);

  errno = 0;
  const CURLcode result = curl_easy_perform(curl);
  if (result == CURLE_COULDNT_CONNECT && errno != 0) return {false, std::strerror(errno)};
  if (result != CURLE_OK) return {false, *reason ? reason : curl_easy_strerror(result)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return {status == 200, "HTTP status " + std::to_string(status)};
}
// #endregion is_ok

// #region print
void explain(const std::string& url, const std::string& reason) {
  const std::string line = url + ": " + reason + "\n";
  std::fputs(line.c_str(), stderr);  // in one piece: fprintf may write several, and others between
}

void print(const std::string& url, bool ok) {
  if (!ok) exit_status = 1;
  const bool printed = std::printf("%s %s\n", url.c_str(), ok ? "OK" : "Bad") > 0;
  if (!printed || std::fflush(stdout) != 0) std::_Exit(1);  // stdout is closed: nobody reads on
}
// #endregion print

// #region fetch
std::map<pid_t, std::string> children;  // at work now, and the URL of each

// The child's whole life.
[[noreturn]] void be_child(const std::string& url, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);        // go when the parent goes, however it goes,
  if (getppid() != parent) std::_Exit(1);  // or went before that line
  const auto [ok, reason] = is_ok(url);
  if (!ok) explain(url, reason);
  std::_Exit(ok ? 0 : 1);
}

void fetch(const std::string& url) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) be_child(url, parent);
  if (child > 0) {
    children.emplace(child, url);
  } else {
    explain(url, std::string("out of processes: ") + std::strerror(errno));
    print(url, false);
  }
}

// #endregion fetch

// #region reap
// Prints the verdicts of the children that have ended. With WNOHANG it waits for none,
// with 0 it waits for all.
void reap(int options) {
  int status = 0;
  for (pid_t child; !children.empty() && (child = waitpid(-1, &status, options)) > 0;) {
    const auto ended = children.extract(child);
    if (!ended) continue;  // it was there before this program, which replaced its parent
    const std::string& url = ended.mapped();
    if (WIFSIGNALED(status)) explain(url, std::string("died of: ") + strsignal(WTERMSIG(status)));
    print(url, WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}
// #endregion reap

// #region main
int main(int argc, char* argv[]) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s URL...\n", argv[0]);
    return 2;
  }
  // Where stdout is closed, no socket is to take its place and be sent our lines.
  for (int fd = 0; fd != -1 && fd <= STDERR_FILENO;) fd = open("/dev/null", O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
  curl_global_init(CURL_GLOBAL_DEFAULT);

  const std::vector<std::string> urls(argv + 1, argv + argc);
  for (const auto& url : urls) {
    fetch(url);
    reap(WNOHANG);
  }
  reap(0);
  return exit_status;
}
// #endregion main
