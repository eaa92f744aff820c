#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/hash.hpp"
#include "base/result.hpp"

namespace winnow::serve {

/// Purpose: what was dear to make and will be asked for again: the things asked for last, each
/// under a name, as of a version of what it was made from. A later version takes the place of an
/// earlier one. Owner: whoever answers for long. Thread: any; makes nothing while it holds its
/// lock, so two who ask at once may both make it. Limits: `bytes_max` of all together; what is
/// larger is given and not kept.
template <class T>
class LastAsked {
 public:
  using Made = Result<std::shared_ptr<const T>>;

  /// `bytes_of`: what a thing takes.
  LastAsked(std::size_t bytes_max, std::size_t (*bytes_of)(const T&))
      : bytes_max_(bytes_max), bytes_of_(bytes_of) {}

  /// The thing of that name and version; `make` is called if it is not here.
  /// Fails: as `make`; nothing is kept then.
  Made get(const std::string& name, const Hash128& version, const std::function<Made()>& make) {
    const auto is_meant = [&](const Entry& e) { return e.name == name; };
    {
      const std::lock_guard lock(mutex_);
      const auto found = std::find_if(entries_.begin(), entries_.end(), is_meant);
      if (found != entries_.end() && found->version == version) {
        entries_.splice(entries_.begin(), entries_, found);
        return entries_.front().thing;
      }
    }
    Made made = make();
    if (!made.ok()) return made;
    const std::size_t bytes = bytes_of_(**made);
    const std::lock_guard lock(mutex_);
    const auto drop = [&](typename std::list<Entry>::iterator at) {
      bytes_ -= at->bytes;
      return entries_.erase(at);
    };
    for (auto at = entries_.begin(); at != entries_.end();) {
      at = is_meant(*at) ? drop(at) : std::next(at);
    }
    if (bytes > bytes_max_) return made;
    while (bytes_ + bytes > bytes_max_) drop(std::prev(entries_.end()));
    bytes_ += bytes;
    entries_.push_front({name, version, *made, bytes});
    return made;
  }

 private:
  struct Entry {
    std::string name;
    Hash128 version;
    std::shared_ptr<const T> thing;
    std::size_t bytes = 0;
  };

  std::size_t bytes_max_;
  std::size_t (*bytes_of_)(const T&);
  std::mutex mutex_;          // guards what follows
  std::list<Entry> entries_;  // the last one asked for first
  std::size_t bytes_ = 0;
};

}  // namespace winnow::serve
