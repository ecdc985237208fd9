// Shows a fetcher from inside: where each thread sleeps, and which URL it works for. See --help.

#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "picture.hpp"
#include "record.hpp"

namespace {

constexpr char usage[] =
    "usage: inside [OPTION]... CHAPTER... -- URL...\n"
    "Runs the chapters' fetch under strace, and draws what it sees: a lane for each\n"
    "thread, asleep or awake, and what waits meanwhile.\n"
    "  --svg FILE       also draw it into FILE\n"
    "  --quiet          draw nothing here\n"
    "  --span SECONDS   the least length of the scale of time\n"
    "  --ascii          plain letters\n"
    "  --coloured       in colours, for a terminal that has them\n"
    "  --log FILE       draw what `strace -f -ttt -T -s 1024 -o FILE` wrote of the\n"
    "                   chapter, and run nothing\n"
    "  --strace PROGRAM run it in place of strace\n"
    "  --help           print this\n"
    "status: 3 if strace may not look into programs here, or is missing\n";

struct Options {
  std::string svg, log, strace = "strace";
  bool quiet = false;
  inside::Micros span{};
  inside::Style style;
  std::vector<std::string> chapters, urls;
};

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Forbidden : std::runtime_error {
  using std::runtime_error::runtime_error;
};

double seconds(const char* text) {
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(number >= 0 && number <= 86400))
    throw Usage("--span takes seconds");
  return number;
}

Options parse(int argc, char* argv[]) {
  Options options;
  const option known[] = {{"svg", required_argument, nullptr, 's'},
                          {"quiet", no_argument, nullptr, 'q'},
                          {"span", required_argument, nullptr, 'n'},
                          {"ascii", no_argument, nullptr, 'a'},
                          {"coloured", no_argument, nullptr, 'c'},
                          {"log", required_argument, nullptr, 'l'},
                          {"strace", required_argument, nullptr, 't'},
                          {"help", no_argument, nullptr, 'h'},
                          {}};
  opterr = 0;
  for (int name; (name = getopt_long(argc, argv, "+", known, nullptr)) != -1;) {
    switch (name) {
      case 's':
        options.svg = optarg;
        break;
      case 'q':
        options.quiet = true;
        break;
      case 'n':
        options.span = std::chrono::duration_cast<inside::Micros>(
            std::chrono::duration<double>(seconds(optarg)));
        break;
      case 'a':
        options.style.ascii = true;
        break;
      case 'c':
        options.style.coloured = true;
        break;
      case 'l':
        options.log = optarg;
        break;
      case 't':
        options.strace = optarg;
        break;
      case 'h':
        std::fputs(usage, stdout);
        std::exit(0);
      default:
        throw Usage(std::string("no such option, or nothing behind it: ") + argv[optind - 1]);
    }
  }
  int at = optind;
  for (; at < argc && std::string(argv[at]) != "--"; ++at) options.chapters.push_back(argv[at]);
  for (++at; at < argc; ++at) options.urls.push_back(argv[at]);
  if (options.chapters.empty()) throw Usage("of which chapter?");
  if (options.urls.empty()) throw Usage("which URLs?");
  if (!options.log.empty() && options.chapters.size() > 1) throw Usage("a log is of one chapter");
  return options;
}

std::string read(const std::string& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("cannot read " + file);
  return text;
}

inside::Subject look_into(const std::string& chapter, const Options& options) {
  inside::Recorded recorded;
  if (!options.log.empty()) {
    recorded.log = read(options.log);
  } else {
    std::vector<std::string> command{BUILD_DIR "/" + chapter + "/fetch"};
    if (!std::ifstream(command[0])) throw std::runtime_error(command[0] + " is not there");
    command.insert(command.end(), options.urls.begin(), options.urls.end());
    try {
      recorded = inside::record(command, options.strace);
    } catch (const std::runtime_error& error) {
      throw Forbidden(error.what());
    }
  }
  try {
    return {chapter, inside::lanes(inside::parse(recorded.log), options.urls), recorded.peak_kib};
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("what strace wrote of " + chapter +
                             " cannot be read: " + error.what());
  }
}

void show(const Options& options) {
  std::vector<inside::Subject> subjects;
  for (const auto& chapter : options.chapters) subjects.push_back(look_into(chapter, options));
  if (!options.quiet)
    std::cout << inside::text(subjects, options.urls, options.span, options.style) << std::flush;
  if (!options.svg.empty()) {
    std::ofstream out(options.svg);
    if (!(out << inside::svg(subjects, options.urls, options.span)).flush())
      throw std::runtime_error("cannot write " + options.svg);
  }
}

}  // namespace

int main(int argc, char* argv[]) try { show(parse(argc, argv)); } catch (const Usage& error) {
  std::fprintf(stderr, "inside: %s\n%s", error.what(), usage);
  return 2;
} catch (const Forbidden& error) {
  std::fprintf(stderr, "inside: %s\n", error.what());
  return 3;
} catch (const std::exception& error) {
  std::fprintf(stderr, "inside: %s\n", error.what());
  return 1;
}
