#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace winnow::store {

// The head of a ledger: all that it says, in a file beside the store's folder, so that an older
// copy of the folder does not make it forget. As text, a line each:
//
//   winnow-ledger 1
//   ID BORN_NS
//   DATASET FAMILY SWEEP USER TRIALS EXECUTIONS FAILED FIRST_NS LAST_NS   (ascending by names)
//   head SHA256
//
// Bytes of names that are no visible ASCII, and '%', are written %XX; an empty name is %00.
// The last line is the SHA-256 of all before it: the checksum of the file, and the head hash that
// verdicts carry. Two ledgers of one head hash say the same of every entry, to the last count;
// whoever has the entries can make it again. It proves nothing about the order of what happened.

/// Purpose: what a head file says.
struct LedgerHead {
  LedgerBirth birth;
  std::vector<LedgerEntry> entries;  ///< ascending by names; without unbacked counts
  std::string hash;                  ///< 64 hexadecimal digits
};

/// The whole text. Entries in any order; their unbacked counts are not part of it.
std::string ledger_head_text(const LedgerBirth& birth, std::span<const LedgerEntry> entries);
/// Of that text.
std::string ledger_head_hash(const LedgerBirth& birth, std::span<const LedgerEntry> entries);
/// Fails: Corrupt, naming the line.
Result<LedgerHead> parse_ledger_head(std::string_view text);

/// HOME/store.ledger for HOME/store.
std::filesystem::path ledger_head_file(const std::filesystem::path& store);
/// The bytes of a head file; nothing if there is none. Fails: Io, InvalidInput (more than 1 GiB).
Result<std::optional<std::string>> read_ledger_file(const std::filesystem::path& file);
/// Replaces the file, whole or not at all, also over a crash if `sync`. Fails: Io.
enum class HeadSync : std::uint8_t { Yes, No };
Status write_ledger_head(const std::filesystem::path& file, std::string_view text, HeadSync sync);

/// A birth by chance. Fails never; needs the system's random numbers.
LedgerBirth new_ledger_birth(TimestampNs born);

/// How an entry of the ledger `from` is called in the ledger `in`: backtests are kept apart.
LedgerEntry entry_in_ledger(LedgerEntry entry, const LedgerBirth& from, const LedgerBirth& in);

}  // namespace winnow::store
