#include "store/database_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <string>

namespace winnow::store {
namespace {

constexpr off_t kMostBytes = off_t{4} << 20;

std::string time_text() {
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::array<char, 40> text{};
  const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + n, text.size() - n, ".%06ldZ", now.tv_nsec / 1000);
  return text.data();
}

const char* level_text(rocksdb::InfoLogLevel level) {
  return level == rocksdb::InfoLogLevel::WARN_LEVEL ? "warning" : "error";
}

class DatabaseLog final : public rocksdb::Logger {
 public:
  explicit DatabaseLog(const std::filesystem::path& dir)
      : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL),
        file_(dir / "LOG"),
        old_(dir / "LOG.old") {
    open_file();
  }
  ~DatabaseLog() override {
    if (fd_ >= 0) ::close(fd_);
  }

  // Every option of every family, at each start: their file OPTIONS holds them too.
  void LogHeader(const char*, va_list) override {}

  using rocksdb::Logger::Logv;
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list ap) override {
    if (level < GetInfoLogLevel() || level == rocksdb::InfoLogLevel::HEADER_LEVEL) return;
    std::array<char, 2048> text{};
    std::vsnprintf(text.data(), text.size(), format, ap);
    std::string line = time_text() + " " + level_text(level) + " " + text.data();
    if (line.back() != '\n') line += '\n';
    const std::scoped_lock lock(mutex_);
    if (bytes_ > kMostBytes) turn_over();
    if (fd_ < 0) open_file();
    if (fd_ < 0) return;
    const ssize_t written = ::write(fd_, line.data(), line.size());
    if (written > 0) bytes_ += written;
  }

 private:
  void open_file() {
    fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct stat state {};
    bytes_ = fd_ >= 0 && ::fstat(fd_, &state) == 0 ? state.st_size : 0;
  }
  void turn_over() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    bytes_ = 0;
    std::error_code ec;
    std::filesystem::rename(file_, old_, ec);
  }

  const std::filesystem::path file_;
  const std::filesystem::path old_;
  std::mutex mutex_;
  int fd_ = -1;
  off_t bytes_ = 0;
};

class SilentLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void LogHeader(const char*, va_list) override {}
  void Logv(const char*, va_list) override {}
  void Logv(const rocksdb::InfoLogLevel, const char*, va_list) override {}
};

}  // namespace

std::shared_ptr<rocksdb::Logger> database_log(const std::filesystem::path& dir) {
  return std::make_shared<DatabaseLog>(dir);
}

std::shared_ptr<rocksdb::Logger> silent_log() { return std::make_shared<SilentLog>(); }

}  // namespace winnow::store
