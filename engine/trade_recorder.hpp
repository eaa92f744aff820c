#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/engine.hpp"
#include "engine/lanes/simulator.hpp"

namespace winnow::engine {

/// One change of the position.
struct Fill {
  std::size_t bar = 0;
  lanes::FillKind kind = lanes::FillKind::Entry;
  double qty = 0;  ///< signed: what was bought (or sold, negative)
  double px = 0;
  bool operator==(const Fill&) const = default;
};

/// Purpose: writes down everything the scalar instance does. Owner: one backtest.
class TradeRecorder {
 public:
  static constexpr bool kEnabled = true;

  TradeRecorder(const MarketView& market, Window window) : market_(market) {
    equity.reserve(window.last - window.first);
  }

  // Called by the simulator.
  void entered(std::size_t bar, double side, double size, double px, double fee) {
    open_ = {};
    parts_qty_ = 0;
    open_.entry_time_ns = market_.time_ns[bar];
    open_.side = side > 0 ? Side::Long : Side::Short;
    open_.qty = size;
    open_.entry_px = px;
    open_.fees = fee;
    fills.push_back({bar, lanes::FillKind::Entry, side * size, px});
  }
  /// To the position that is open.
  void added(std::size_t bar, double side, double size, double px, double fee) {
    open_.entry_px = (open_.entry_px * open_.qty + px * size) / (open_.qty + size);
    open_.qty += size;
    open_.fees += fee;
    fills.push_back({bar, lanes::FillKind::Resize, side * size, px});
  }
  void exit(double px, double fee, double funding, double pnl) {
    open_.exit_px = px;
    open_.fees += fee;
    open_.funding = funding;
    open_.pnl = pnl;
  }
  void closed(std::size_t bar, lanes::FillKind kind) {
    open_.exit_time_ns = market_.time_ns[bar];
    trades.push_back(open_);
    const double sign = open_.side == Side::Long ? -1.0 : 1.0;
    fills.push_back({bar, kind, sign * open_.qty, open_.exit_px});
  }
  // As exit and closed, for a position that is closed in parts.
  void part(std::size_t bar, lanes::FillKind kind, double signed_qty, double px, double fee) {
    const double qty_closed = std::fabs(signed_qty);
    open_.exit_px = parts_qty_ == 0 ? px
                                    : (open_.exit_px * parts_qty_ + px * qty_closed) /
                                          (parts_qty_ + qty_closed);
    parts_qty_ += qty_closed;
    open_.fees += fee;
    fills.push_back({bar, kind, -signed_qty, px});
  }
  void done(std::size_t bar, double funding, double pnl) {
    open_.exit_time_ns = market_.time_ns[bar];
    open_.funding = funding;
    open_.pnl = pnl;
    trades.push_back(open_);
  }
  void bar_closed(std::size_t, double equity_now, double qty_now) {
    equity.push_back(equity_now);
    qty = qty_now;
  }

  std::vector<Trade> trades;
  std::vector<Fill> fills;
  std::vector<double> equity;  ///< at each close
  double qty = 0;              ///< held at the last close

 private:
  const MarketView& market_;
  Trade open_;
  double parts_qty_ = 0;  // closed of it so far
};

/// Passes on to a recorder where there is one: what a stepped variant writes to.
class MaybeRecorder {
 public:
  static constexpr bool kEnabled = true;
  explicit MaybeRecorder(TradeRecorder* to) : to_(to) {}

  void entered(std::size_t bar, double side, double size, double px, double fee) {
    if (to_ != nullptr) to_->entered(bar, side, size, px, fee);
  }
  void added(std::size_t bar, double side, double size, double px, double fee) {
    if (to_ != nullptr) to_->added(bar, side, size, px, fee);
  }
  void exit(double px, double fee, double funding, double pnl) {
    if (to_ != nullptr) to_->exit(px, fee, funding, pnl);
  }
  void closed(std::size_t bar, lanes::FillKind kind) {
    if (to_ != nullptr) to_->closed(bar, kind);
  }
  void part(std::size_t bar, lanes::FillKind kind, double signed_qty, double px, double fee) {
    if (to_ != nullptr) to_->part(bar, kind, signed_qty, px, fee);
  }
  void done(std::size_t bar, double funding, double pnl) {
    if (to_ != nullptr) to_->done(bar, funding, pnl);
  }
  void bar_closed(std::size_t bar, double equity, double qty) {
    if (to_ != nullptr) to_->bar_closed(bar, equity, qty);
  }

 private:
  TradeRecorder* to_;
};

}  // namespace winnow::engine
