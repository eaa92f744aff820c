#include "store/ledger_keeper.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace winnow::store {
namespace {

constexpr std::chrono::milliseconds kHeadPause{1000};

}  // namespace

LedgerKeeper::LedgerKeeper(std::filesystem::path file, LedgerBirth birth, HeadSync sync,
                           Entries entries)
    : file_(std::move(file)), birth_(std::move(birth)), sync_(sync), entries_(std::move(entries)) {}

LedgerKeeper::~LedgerKeeper() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (changed_) write();
}

void LedgerKeeper::changed() {
  if (changed_.exchange(true)) return;
  const std::scoped_lock lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error&) {
      // No thread to be had: the next change tries again, and the end writes in any case.
    }
  }
  wake_.notify_one();
}

void LedgerKeeper::write() {
  const std::scoped_lock one(writing_);
  changed_ = false;
  const Status written = write_ledger_head(file_, ledger_head_text(birth_, entries_()), sync_);
  if (!written.ok()) {
    changed_ = true;
    ++refused_;
  }
  const std::scoped_lock lock(mutex_);
  trouble_ = written.ok() ? std::string() : written.error().text();
}

std::string LedgerKeeper::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

void LedgerKeeper::loop() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [this] { return stop_ || changed_; });
    // What comes within the pause is written with it.
    wake_.wait_for(lock, kHeadPause, [this] { return stop_; });
    if (stop_) return;
    lock.unlock();
    write();
    lock.lock();
  }
}

}  // namespace winnow::store
