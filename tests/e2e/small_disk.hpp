#pragma once

#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace winnow::e2e {

/// A file system of its own in memory, of a size that can be changed.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, int mebibytes) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    const std::string size = "size=" + std::to_string(mebibytes) + "m";
    error_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, size.c_str()) == 0 ? 0 : errno;
  }
  ~SmallDisk() {
    if (error_ == 0) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  /// 0, or why the machine does not let us have one.
  int error() const { return error_; }
  bool resize(int mebibytes) {
    const std::string size = "size=" + std::to_string(mebibytes) + "m";
    return ::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) == 0;
  }
  std::uint64_t free_bytes() const {
    struct statvfs state {};
    ::statvfs(folder_.c_str(), &state);
    return std::uint64_t{state.f_bavail} * state.f_bsize;
  }

 private:
  std::filesystem::path folder_;
  int error_ = 0;
};

}  // namespace winnow::e2e
