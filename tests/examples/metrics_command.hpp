#pragma once

/// The program `metrics` with these arguments: its exit code. Is where the program is tested: it is slow to compile.
[[nodiscard]] auto run_metrics(int argc, const char* const* argv) -> int;
