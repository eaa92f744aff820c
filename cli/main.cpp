#include "cli/program.hpp"
#include "cli/stop_signals.hpp"

int main(int argc, char** argv) {
  winnow::cli::hold_stop_signals();
  winnow::cli::secure_standard_descriptors();
  return winnow::cli::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
}
