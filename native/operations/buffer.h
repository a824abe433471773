// Memory for numbers that are about to be written: aligned to cache lines and pages, and not zeroed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace monosem {

// Cache lines, pages, or large pages, as the size merits.
void* allocate_bytes(std::size_t bytes);

// Memory that an operation gave back, or new. Fresh pages cost more than the system takes to hand them out: each is
// cleared first. So what operations need again and again is kept, 256 MB at most.
void* borrow_bytes(std::size_t bytes);
void give_back(void* memory, std::size_t bytes);

template <class T>
using Buffer = std::unique_ptr<T[], decltype(&std::free)>;

template <class T>
Buffer<T> make_buffer(std::int64_t count) {
  return Buffer<T>(static_cast<T*>(allocate_bytes(static_cast<std::size_t>(count) * sizeof(T))), &std::free);
}

// Of a length that is known when it is made; nothing is written yet.
template <class T>
class Array {
 public:
  Array() : Array(0) {}
  explicit Array(std::int64_t size) : memory_(make_buffer<T>(size)), size_(static_cast<std::size_t>(size)) {}

  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return memory_[i]; }
  const T& operator[](std::size_t i) const { return memory_[i]; }
  const T* begin() const { return memory_.get(); }
  const T* end() const { return begin() + size_; }
  // The caller frees it.
  T* release() { return memory_.release(); }

 private:
  Buffer<T> memory_;
  std::size_t size_;
};

struct GiveBack {
  std::size_t bytes;
  void operator()(void* memory) const { give_back(memory, bytes); }
};

template <class T>
using Borrowed = std::unique_ptr<T[], GiveBack>;

// For the time of one operation.
template <class T>
Borrowed<T> borrow(std::int64_t count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
  return Borrowed<T>(static_cast<T*>(borrow_bytes(bytes)), GiveBack{bytes});
}

}  // namespace monosem
