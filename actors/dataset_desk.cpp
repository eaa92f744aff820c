#include "actors/dataset_desk.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "actors/codec.hpp"

namespace winnow::actors {
namespace {

Frame denied(const std::string& hash, const Error& error, std::uint64_t session) {
  return encode(DatasetDenied{hash, static_cast<std::uint32_t>(error.code()), error.text()},
                session);
}

std::string pack(const std::vector<Hash128>& hashes) {
  std::string out;
  out.reserve(hashes.size() * 16);
  for (const Hash128& hash : hashes) {
    const auto bytes = hash.bytes();
    out.append(bytes.data(), bytes.size());
  }
  return out;
}

}  // namespace

DatasetDesk::DatasetDesk(std::filesystem::path data_dir)
    : data_dir_(std::move(data_dir)), thread_([this](std::stop_token stop) { loop(stop); }) {}

DatasetDesk::~DatasetDesk() {
  thread_.request_stop();
  thread_.join();
}

void DatasetDesk::ask(const Frame& frame, Answer answer) {
  Question question{frame, std::move(answer)};
  if (waiting_.push(question)) return;
  ++turned_away_;
  // Said for no dataset: the node asks again for all it still misses.
  question.answer(
      denied("", Error(ErrorCode::Unavailable, "too many nodes fetch datasets"), frame.session));
}

void DatasetDesk::loop(const std::stop_token& stop) {
  while (auto question = waiting_.pop(stop)) {
    try {
      question->answer(reply(question->frame));
    } catch (const std::exception& e) {
      spdlog::error("shipping a dataset: {}", e.what());
    }
  }
}

Frame DatasetDesk::reply(const Frame& question) {
  if (is<DatasetAsk>(question)) {
    const auto ask = decode<DatasetAsk>(question);
    if (!ask) return denied("", ask.error(), question.session);
    origins_.erase(ask->dataset);  // what was true for an earlier fetch is checked again
    const auto from = origin(ask->dataset);
    if (!from) {
      spdlog::error("a node asks for dataset {}: {}", ask->dataset, from.error().text());
      return denied(ask->dataset, from.error(), question.session);
    }
    const store::Shipment& s = (*from)->shipment();
    return encode(DatasetOffer{s.content_hash, s.manifest_json, s.bytes, pack(s.chunks)},
                  question.session);
  }
  const auto ask = decode<ChunkAsk>(question);
  if (!ask) return denied("", ask.error(), question.session);
  const auto from = origin(ask->dataset);
  if (!from) return denied(ask->dataset, from.error(), question.session);
  auto bytes = (*from)->chunk(ask->chunk);
  if (bytes) {
    return encode(DatasetChunk{ask->dataset, ask->chunk, std::move(*bytes)}, question.session);
  }
  spdlog::error("shipping dataset {}: {}", ask->dataset, bytes.error().text());
  origins_.erase(ask->dataset);
  return denied(ask->dataset, bytes.error(), question.session);
}

Result<const store::DatasetOrigin*> DatasetDesk::origin(const std::string& hash) {
  if (const auto found = origins_.find(hash); found != origins_.end()) return &found->second;
  auto datasets = store::DatasetStore::open(data_dir_);
  if (!datasets) return datasets.error();
  auto opened = store::DatasetOrigin::open(*datasets, hash);
  if (!opened) return opened.error();
  if (origins_.size() >= kOriginsMax) origins_.erase(origins_.begin());
  return &origins_.emplace(hash, std::move(*opened)).first->second;
}

}  // namespace winnow::actors
