// The suites, a file each, of which main.cc runs every test for every instruction set.
#pragma once

#include "test.h"

namespace monosem::test {

std::vector<Test> pool_tests();
std::vector<Test> dense_tests();
std::vector<Test> attention_tests();
std::vector<Test> unembed_tests();
std::vector<Test> decoder_tests();
std::vector<Test> encode_tests();
std::vector<Test> sparse_tests();
std::vector<Test> parameters_tests();
std::vector<Test> latents_tests();
std::vector<Test> toy_models_tests();
std::vector<Test> firings_tests();

}  // namespace monosem::test
