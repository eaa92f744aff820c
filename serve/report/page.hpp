#pragma once

#include <string>
#include <string_view>

namespace winnow::serve::report {

/// The page's style sheet: light and dark, screens from a telephone up, paper.
std::string page_css();
/// Sorting of tables and readings under the pointer; the page is complete without it.
std::string_view page_script();

}  // namespace winnow::serve::report
