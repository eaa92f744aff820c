#pragma once

#include <filesystem>
#include <string>

// A small store with something of every kind in it, and all that it says as text.
namespace winnow::store {

/// Makes the store whose copy by version 1 is kept in tests/store/golden. The folder must not
/// exist. What it holds never changes; a later format gets a store of its own beside it.
void make_golden_store(const std::filesystem::path& dir);

/// Every value of every column family of a closed store, decoded, one line each; numbers of columns
/// as their hash. Keys come in their order. Needs no Store: RocksDB and the codecs alone.
std::string describe_store(const std::filesystem::path& dir);

}  // namespace winnow::store
