// Options that every executable of a sanitized build starts with; environment variables of the same
// names (ASAN_OPTIONS and so on) add to them. The sanitizers' runtimes call these by name.

extern "C" {

__attribute__((visibility("default"))) const char* __asan_default_options() {
  return "strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1";
}

__attribute__((visibility("default"))) const char* __lsan_default_options() {
  return "print_suppressions=0:suppressions=" WINNOW_SUPPRESSIONS "/lsan.supp";
}

__attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1:suppressions=" WINNOW_SUPPRESSIONS "/ubsan.supp";
}

__attribute__((visibility("default"))) const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:suppressions=" WINNOW_SUPPRESSIONS "/tsan.supp";
}

}  // extern "C"
