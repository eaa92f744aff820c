#include "trading/orders/requests.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace winnow::orders {

namespace {

template <class Is>
const RequestState* last_that(const Requests& requests, Is is) {
  const auto found = std::find_if(requests.rbegin(), requests.rend(), is);
  return found == requests.rend() ? nullptr : &*found;
}

}  // namespace

const RequestState* last_taken(const Requests& requests) {
  return last_that(requests, [](const RequestState& r) {
    return r.kind == RequestKind::Replace && r.is_taken();
  });
}

const RequestState* pending_replace(const Requests& requests) {
  return last_that(requests, [](const RequestState& r) {
    return r.kind == RequestKind::Replace &&
           (r.is_open() || (r.stage == RequestStage::Drafted && !r.is_answered()));
  });
}

const RequestState* pending_cancel(const Requests& requests) {
  return last_that(requests, [](const RequestState& r) {
    return r.kind == RequestKind::Cancel && r.stage == RequestStage::Out &&
           (r.is_taken() || r.rejected.value() == 0);
  });
}

Lots total_after(const RequestState& replace) {
  WINNOW_REQUIRES(replace.is_taken());
  switch (replace.amend.kind) {
    case AmendKind::Absolute:
      return replace.amend.qty;
    case AmendKind::Leaves:
      return replace.filled_then + replace.amend.qty;
  }
  return {};
}

}  // namespace winnow::orders
