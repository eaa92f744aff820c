#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace winnow::e2e {

/// Purpose: one raw connection to a farm: plain TCP, or TLS with whatever identity is given.
/// Thread: one.
class RawPeer {
 public:
  struct Options {
    std::string identity;  ///< file of `winnow cluster invite`; empty: plain TCP
    bool no_certificate = false;
    int tls_version_max = 0;  ///< of OpenSSL's numbers; 0: the newest
  };
  RawPeer(int port, const Options& options);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  bool connected() const { return connected_; }
  bool send(const std::string& bytes) const;
  /// What came within the time; empty if nothing did.
  std::string receive(int milliseconds) const;
  /// The other end has closed, or does so within the time; what comes meanwhile is thrown away.
  bool closed_within(int seconds) const;
  /// What the far end said as it closed, as OpenSSL words it.
  std::string complaint() const;

 private:
  struct Tls;
  /// Reads what is there; true if it was the end.
  bool closed() const;
  int fd_ = -1;
  std::unique_ptr<Tls> tls_;
  bool connected_ = false;
};

/// Purpose: stands between one node and the farm and keeps what the node said. Thread: its own.
class Recorder {
 public:
  explicit Recorder(int farm_port);
  ~Recorder();
  int port() const { return port_; }
  /// Ends the connection. What the node said, from its first byte.
  std::string stop();

 private:
  void run();
  int farm_port_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  int port_ = 0;
  std::string said_;
  std::thread thread_;
};

}  // namespace winnow::e2e
