#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>

namespace winnow::store {

/// Purpose: lets processes that open a store for reading ask its writer not to change the list of
/// files for a moment. An open counts only beside an unchanged list, and a fast writer would change
/// it faster than any reader can open.
/// Owner: the writer and each opening reader hold one, on the same file (a shared `flock` is the
/// request, so a reader's death takes it back).
/// Thread: any.
/// Limits: a request is honoured for kPatience at a time: a frozen reader costs the writer that
/// once, and never blocks a commit.
class ReaderGate {
 public:
  static constexpr std::chrono::milliseconds kPatience{500};

  /// The writer honours requests, and makes the file.
  enum class Side { Writer, Reader };
  ReaderGate(const std::filesystem::path& store, Side side);
  ~ReaderGate();
  ReaderGate(const ReaderGate&) = delete;
  ReaderGate& operator=(const ReaderGate&) = delete;

  /// Reader: asks until destroyed. Without the file (an older store, a folder it may not read)
  /// nothing is asked, and the reader depends on a quiet moment.
  void request();
  /// Writer: whether somebody asks, and has not asked for longer than kPatience.
  bool requested();
  /// Writer: returns when nobody asks any more or patience is at its end.
  void await_quiet();

 private:
  int fd_ = -1;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> asked_since_;
};

}  // namespace winnow::store
