#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "actors/client.hpp"
#include "base/result.hpp"

namespace winnow::cli {

/// HOME/run/coordinator.json: there while a coordinator serves the home.
std::filesystem::path coordinator_note(const std::filesystem::path& home);

/// The coordinator of a home, as its note HOME/run/coordinator.json says and it has confirmed.
struct Advertised {
  std::string endpoint;
  std::unique_ptr<actors::Client> client;
};

/// The coordinator that serves a home, if one does. A note is only a hint: processes leave theirs
/// behind, numbers and ports are given out again. It is believed when who listens there answers
/// with the instance it names, within seconds; else it is ignored, and said so on stderr where
/// that is no matter of course.
std::optional<Advertised> advertised_coordinator(const std::filesystem::path& home);

/// A name for this coordinator that no other has.
std::string new_instance();

/// Leaves the note. Fails: Io.
Status advertise_coordinator(const std::filesystem::path& home, const std::string& endpoint,
                             const std::string& instance);

/// Takes it away, unless it is another's by now.
void withdraw_coordinator(const std::filesystem::path& home, const std::string& instance);

}  // namespace winnow::cli
