#pragma once

#include <string>
#include <vector>

namespace winnow::cluster {

/// What is wrong with a manifest of one or more documents by the field table
/// kubernetes_fields.yaml; empty if nothing is. Also: volumes that are mounted exist, selectors
/// match their pods' labels.
std::vector<std::string> manifest_faults(const std::string& manifest);

}  // namespace winnow::cluster
