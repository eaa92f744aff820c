#include "engine/isa.hpp"

#include "base/check.hpp"

extern "C" {
const winnow::engine::lanes::KernelTable* winnow_lane_kernels_v2();
const winnow::engine::lanes::KernelTable* winnow_lane_kernels_v3();
const winnow::engine::lanes::KernelTable* winnow_lane_kernels_v4();
}

namespace winnow::engine {

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::Scalar:
      return "scalar";
    case Isa::Avx2:
      return "avx2";
    case Isa::Avx512:
      return "avx512";
  }
  return "unknown";
}

// __builtin_cpu_supports of an AVX feature also asks whether the operating system saves the wide
// registers (XGETBV).
bool isa_supported(Isa isa) {
  switch (isa) {
    case Isa::Scalar:
      return true;
    case Isa::Avx2:
      return __builtin_cpu_supports("x86-64-v3") != 0;
    case Isa::Avx512:
      return __builtin_cpu_supports("x86-64-v4") != 0;
  }
  return false;
}

Isa best_isa() {
  static const Isa best = isa_supported(Isa::Avx512) ? Isa::Avx512
                          : isa_supported(Isa::Avx2) ? Isa::Avx2
                                                     : Isa::Scalar;
  return best;
}

const lanes::KernelTable& kernels_of(Isa isa) {
  WINNOW_REQUIRES(isa_supported(isa));
  switch (isa) {
    case Isa::Avx2:
      return *winnow_lane_kernels_v3();
    case Isa::Avx512:
      return *winnow_lane_kernels_v4();
    case Isa::Scalar:
      break;
  }
  return *winnow_lane_kernels_v2();
}

}  // namespace winnow::engine
