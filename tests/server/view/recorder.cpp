#include "recorder.hpp"

#include <algorithm>

namespace {

constexpr std::size_t longest_name = 60;

// A client's words, fit for any output.
std::string printable(std::string_view text) {
  std::string name(text.substr(0, longest_name));
  for (char& c : name)
    if (c < ' ' || c > '~') c = '?';
  if (text.size() > longest_name) name.replace(longest_name - 3, 3, "...");
  return name;
}

Skyline::Level higher(Skyline::Level a, Skyline::Level b) {
  return {std::max(a.in_flight, b.in_flight), std::max(a.sending, b.sending)};
}

}  // namespace

void Skyline::set(Micros at, Level level) {
  auto place = std::size_t(at.count()) >> doublings_;
  for (; place >= most_levels; place /= 2, ++doublings_) {
    for (std::size_t i = 0; i < levels_.size(); ++i)
      levels_[i / 2] = i % 2 ? higher(levels_[i / 2], levels_[i]) : levels_[i];
    levels_.resize((levels_.size() + 1) / 2);
  }
  if (levels_.size() <= place) levels_.resize(place + 1, now_);
  levels_[place] = higher(levels_[place], level);
  now_ = level;
}

std::shared_ptr<Run> Recorder::run_of(std::string_view agent, Clock::time_point now) {
  const std::string name = printable(agent);
  const auto last = std::find_if(runs_.rbegin(), runs_.rend(),
                                 [&](const auto& run) { return run->agent == name; });
  if (last != runs_.rend() && (*last)->id >= first_open_) {
    const auto end = (*last)->start + (*last)->end;
    if ((*last)->in_flight > 0 || (now - end < pause_ && runs_.back()->start <= end)) return *last;
  }
  auto run = std::make_shared<Run>();
  run->id = next_id_++;
  run->agent = name;
  run->start = now;
  runs_.push_back(run);
  while (runs_.size() > most_runs || (bars_ > most_bars && runs_.size() > 1)) {
    bars_ -= runs_.front()->bars.size();
    runs_.pop_front();
  }
  return run;
}

void Recorder::tell(Run& run, std::optional<Holding> holding) {
  if (!holding || run.holding == holding) return;
  run.holding = holding;
  run.changed = ++version_;
}

void Recorder::end_runs() {
  first_open_ = next_id_;
  ++version_;
}

void Recorder::clear() {
  runs_.clear();
  bars_ = 0;
  end_runs();
}

void Recorder::changed(Run& run, Bar* bar, Clock::time_point now) {
  run.end = std::max(run.end, std::chrono::duration_cast<Micros>(now - run.start));
  run.changed = ++version_;
  if (bar) bar->changed = version_;
}

void Recording::begin(Recorder& recorder, std::string_view agent, std::string_view target,
                      Clock::time_point now) {
  recorder_ = &recorder;
  run_ = recorder.run_of(agent, now);
  row_ = run_->requests++;
  sending_ = false;
  run_->most_in_flight = std::max(run_->most_in_flight, ++run_->in_flight);
  recorder.changed(*run_, nullptr, now);
  if (row_ < Run::most_bars) {
    const auto since_start = [&](Clock::time_point time) {
      return std::max(Micros(0), std::chrono::duration_cast<Micros>(time - run_->start));
    };
    Bar& bar = run_->bars.emplace_back();
    bar.target = printable(target);
    bar.read = run_->end;
    bar.accepted = accepted_ ? std::min(since_start(*accepted_), bar.read) : bar.read;
    bar.changed = run_->changed;
    ++recorder.bars_;
  }
  accepted_.reset();
  auto level = run_->skyline.now();
  ++level.in_flight;
  run_->skyline.set(run_->end, level);
}

void Recording::status(unsigned code) {
  if (!run_ || row_ >= run_->bars.size()) return;
  bar()->status = code;
}

void Recording::write(Clock::time_point now) {
  if (!run_ || sending_) return;
  sending_ = true;
  recorder_->changed(*run_, bar(), now);
  if (bar()) bar()->first = run_->end;
  auto level = run_->skyline.now();
  ++level.sending;
  run_->skyline.set(run_->end, level);
}

void Recording::end(bool cut_off, Clock::time_point now) {
  if (!run_) return;
  --run_->in_flight;
  recorder_->changed(*run_, bar(), now);
  if (bar()) {
    bar()->last = run_->end;
    bar()->cut_off = cut_off;
  }
  auto level = run_->skyline.now();
  --level.in_flight;
  level.sending -= sending_;
  run_->skyline.set(run_->end, level);
  run_.reset();
}
