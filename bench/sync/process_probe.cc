#include "bench/sync/process_probe.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace headrace::bench {
namespace {

constexpr std::chrono::milliseconds kInterval(50);

// Empty when the process or thread is gone.
std::string Contents(const std::string& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The number after `label` on a line of its own; 0 without one.
uint64_t NumberAfter(const std::string& text, const std::string& label) {
  const size_t at = ("\n" + text).find("\n" + label);
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + label.size(), nullptr, 10);
}

// "b-scriptch.3" and "worker 12" are many of one kind.
std::string RoleOf(std::string name) {
  const size_t last = name.find_last_not_of("0123456789.-/_ \n");
  name.resize(last == std::string::npos ? 0 : last + 1);
  return name.empty() ? "unnamed" : name;
}

// What follows the name in parentheses, which may hold anything, in a `stat` file: the state first.
std::string AfterName(const std::string& stat) {
  const size_t at = stat.rfind(") ");
  return at == std::string::npos ? std::string() : stat.substr(at + 2);
}

}  // namespace

ProcessProbe::ProcessProbe(pid_t pid) : folder_("/proc/" + std::to_string(pid)), thread_([this] { Watch(); }) {}

ProcessProbe::~ProcessProbe() {
  if (thread_.joinable()) Finish();
}

void ProcessProbe::Watch() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    Look();
    stopping_.wait_for(lock, kInterval, [this] { return is_stopping_; });
  }
}

void ProcessProbe::LookAtMemory() {
  constexpr uint64_t kKibibyte = 1024;
  const std::string status = Contents(folder_ + "/status");
  facts_.rss_bytes_max = std::max(facts_.rss_bytes_max, NumberAfter(status, "VmHWM:") * kKibibyte);
  facts_.rss_anon_bytes_max = std::max(facts_.rss_anon_bytes_max, NumberAfter(status, "RssAnon:") * kKibibyte);
}

void ProcessProbe::Look() {
  LookAtMemory();
  bool is_any_running = false, is_any_at_disk = false, is_any_there = false;
  std::error_code error;
  std::filesystem::directory_iterator tasks(folder_ + "/task", error);
  while (!error && tasks != std::filesystem::directory_iterator()) {
    const std::string task = tasks->path().string();
    const std::string state = AfterName(Contents(task + "/stat"));
    std::istringstream times(Contents(task + "/schedstat"));
    ThreadTimes& thread = threads_[tasks->path().filename().string()];
    uint64_t ran_ns = 0, waited_ns = 0;
    if (!state.empty() && times >> ran_ns >> waited_ns) {
      is_any_there = true;
      is_any_running |= state[0] == 'R';
      is_any_at_disk |= state[0] == 'D';
      thread = {RoleOf(Contents(task + "/comm")), ran_ns, waited_ns};
    }
    tasks.increment(error);
  }
  if (!is_any_there) return;
  ++looks_;
  running_ += is_any_running ? 1 : 0;
  disk_ += !is_any_running && is_any_at_disk ? 1 : 0;
}

ProcessFacts ProcessProbe::Finish() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_one();
  thread_.join();
  for (const auto& [id, thread] : threads_) {
    if (thread.ran_ns == 0) continue;
    facts_.cpu_seconds_by_role[thread.role] += static_cast<double>(thread.ran_ns) / 1e9;
    facts_.cpu_wait_seconds += static_cast<double>(thread.waited_ns) / 1e9;
  }
  const auto looks = static_cast<double>(std::max<uint64_t>(looks_, 1));
  facts_.share_running = static_cast<double>(running_) / looks;
  facts_.share_disk = static_cast<double>(disk_) / looks;
  facts_.share_asleep = static_cast<double>(looks_ - running_ - disk_) / looks;
  return facts_;
}

double CpuSecondsOf(pid_t pid) {
  constexpr int kUserTicks = 11;  // fields after the name, counted from the state
  std::istringstream fields(AfterName(Contents("/proc/" + std::to_string(pid) + "/stat")));
  std::string skipped;
  for (int i = 0; i < kUserTicks; ++i) fields >> skipped;
  uint64_t user = 0, system = 0;
  fields >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace headrace::bench
