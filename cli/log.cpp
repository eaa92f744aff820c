#include "cli/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.hpp"

namespace winnow::cli {
namespace {

/// Purpose: a log line stays one line of text, whatever it quotes of files and peers.
class LogFormatter final : public spdlog::formatter {
 public:
  LogFormatter() : inner_("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text =
        log_text(std::string_view(message.payload.data(), message.payload.size()));
    spdlog::details::log_msg safe = message;
    safe.payload = spdlog::string_view_t(text.data(), text.size());
    inner_.format(safe, out);
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LogFormatter>();
  }

 private:
  spdlog::pattern_formatter inner_;
};

}  // namespace

void begin_log() {
  if (spdlog::get("winnow") == nullptr) {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("winnow"));
  }
  spdlog::set_formatter(std::make_unique<LogFormatter>());
}

void log_info(const std::string& line) { spdlog::info("{}", line); }
void log_critical(const std::string& line) { spdlog::critical("{}", line); }

}  // namespace winnow::cli
