{
  "target_defaults": {
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": [
      "-std=gnu++20", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast",
      "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-psabi", "-Wno-ignored-attributes", "-Wno-maybe-uninitialized", "-Wno-uninitialized"
    ],
    "xcode_settings": {
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
    }
  },
  "targets": [
    {
      "target_name": "kernels_amx",
      "type": "static_library",
      "sources": ["native/isa/amx.cc"],
      "conditions": [["target_arch=='x64'", {
        "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-mfma"],
        "xcode_settings": {
          "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16", "-mamx-tile", "-mamx-bf16", "-mfma"]
        }
      }]]
    },
    {
      "target_name": "kernels_avx512bf16",
      "type": "static_library",
      "sources": ["native/isa/avx512bf16.cc"],
      "conditions": [["target_arch=='x64'", {
        "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16", "-mfma"],
        "xcode_settings": {
          "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16", "-mfma"]
        }
      }]]
    },
    {
      "target_name": "kernels_avx512",
      "type": "static_library",
      "sources": ["native/isa/avx512.cc"],
      "conditions": [["target_arch=='x64'", {
        "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma"],
        "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma"] }
      }]]
    },
    {
      "target_name": "kernels_avx2",
      "type": "static_library",
      "sources": ["native/isa/avx2.cc"],
      "conditions": [["target_arch=='x64'", {
        "cflags_cc": ["-mavx2", "-mfma"],
        "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma"] }
      }]]
    },
    {
      "target_name": "exact",
      "type": "static_library",
      "sources": ["native/operations/firings.cc"],
      "cflags_cc": ["-ffp-contract=off"],
      "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-ffp-contract=off"] }
    },
    {
      "target_name": "monosem",
      "sources": [
        "native/binding/addon.cc",
        "native/binding/dictionary.cc",
        "native/binding/firings.cc",
        "native/binding/limits.cc",
        "native/binding/together.cc",
        "native/binding/toy.cc",
        "native/binding/training.cc",
        "native/binding/transformer.cc",
        "native/isa/baseline.cc",
        "native/isa/dispatch.cc",
        "native/isa/neon.cc",
        "native/operations/buffer.cc",
        "native/operations/decoder_blocks.cc",
        "native/operations/dense.cc",
        "native/operations/dense_blocks.cc",
        "native/operations/encode.cc",
        "native/operations/limits.cc",
        "native/operations/latents.cc",
        "native/operations/parameters.cc",
        "native/operations/attention.cc",
        "native/operations/decoder_step.cc",
        "native/operations/sparse.cc",
        "native/operations/toy_models.cc",
        "native/operations/toy_narrow.cc",
        "native/operations/toy_wide.cc",
        "native/operations/unembed.cc",
        "native/operations/written_down.cc",
        "native/pool.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS"],
      "dependencies": ["kernels_amx", "kernels_avx512bf16", "kernels_avx512", "kernels_avx2", "exact"]
    }
  ]
}
