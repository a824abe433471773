// Runs every test for every instruction set that this processor has, and says on what seed one failed.
// With an argument, only the tests whose name contains it.
#include <chrono>
#include <cstdio>

#include "../operations/operations.h"
#include "suites.h"

namespace monosem::test {
namespace {

std::vector<Test> all_tests() {
  std::vector<Test> all;
  for (const auto& suite :
       {pool_tests(), dense_tests(), attention_tests(), unembed_tests(), decoder_tests(), encode_tests(),
        sparse_tests(), parameters_tests(), latents_tests(), toy_models_tests(), firings_tests()})
    all.insert(all.end(), suite.begin(), suite.end());
  return all;
}

// The number of tests that failed.
int run_all(const std::string& wanted) {
  int failures = 0, sets = 0;
  for (const char* set : {"amx", "avx512bf16", "avx512", "avx2", "neon", "baseline"}) {
    if (!choose_kernels(set)) continue;
    sets++;
    const auto start = std::chrono::steady_clock::now();
    int passed = 0;
    for (const Test& test : all_tests()) {
      if (std::string(test.name).find(wanted) == std::string::npos) continue;
      int seed = 0;
      try {
        for (; seed < test.rounds; seed++) {
          Random random(seed);
          test.run(random);
        }
        passed++;
      } catch (const std::exception& problem) {
        failures++;
        std::printf("FAILED %s, %s, seed %d: %s\n", set, test.name, seed, problem.what());
      }
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%-10s %d tests passed in %.1f s\n", set, passed, seconds.count());
    std::fflush(stdout);
  }
  return sets == 0 ? 1 : failures;
}

}  // namespace
}  // namespace monosem::test

int main(int count, char** arguments) {
  return monosem::test::run_all(count > 1 ? arguments[1] : "") == 0 ? 0 : 1;
}
