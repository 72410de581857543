// Which cache lines several threads write to. Built as libtsan.so.2, which a program that was
// compiled for ThreadSanitizer loads: this stands in for what the compiler calls there at each
// access, and for locks and copies of memory. All else, the allocator too, is the C library's own.
//
// SIGUSR2 begins the one window of a program's life, which ends after kWindow operations on locks.
// Then GATEHOUSE_LINES, a file, has a line of JSON for each line of memory that was written, and
// that more than one thread touched, within the window:
//   {"line":"7f…","lock":true,"writes":8000,"reads":12000,"threads":2,"by":[[1,"writes","5b12"]…]}
// "by" has threads and places in the program, for addr2line. What the C library and other libraries
// write by themselves is not seen.
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <string>

namespace {

constexpr std::uintptr_t kLine = 64;  // bytes
constexpr std::size_t kSlots = 1U << 18U;
constexpr std::size_t kPlaces = 8;  // of the program that are told of a line
constexpr int kWindow = 20000;      // operations on locks

struct Place {
    void* code;  // null: free
    int thread;
    bool writes;

    bool operator==(const Place&) const = default;
};

struct Slot {
    std::uintptr_t line;    // address / kLine; 0: free
    std::uint64_t threads;  // a bit each
    std::uint64_t writes;
    std::uint64_t reads;
    Place places[kPlaces];
    bool lock;
};

std::atomic<bool> open{false};
std::atomic_flag busy = ATOMIC_FLAG_INIT;
Slot slots[kSlots];  // under busy, as what follows
int locks = 0;
unsigned next_thread = 0;
__attribute__((tls_model("initial-exec"))) thread_local int thread_number = -1;
__attribute__((tls_model("initial-exec"))) thread_local bool inside = false;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "lines: %s\n", what);
    std::_Exit(70);
}

void report() {
    const char* const name = std::getenv("GATEHOUSE_LINES");
    if (name == nullptr) fail("GATEHOUSE_LINES names no file");
    const std::string made = std::string(name) + ".made";
    std::FILE* file = std::fopen(made.c_str(), "w");
    if (file == nullptr) fail("the file that GATEHOUSE_LINES names cannot be written");
    for (const Slot& slot : slots) {
        if (slot.line == 0 || slot.writes == 0 || (slot.threads & (slot.threads - 1)) == 0)
            continue;
        std::fprintf(file,
                     "{\"line\":\"%lx\",\"lock\":%s,\"writes\":%lu,\"reads\":%lu,\"threads\":%d,"
                     "\"by\":[",
                     static_cast<unsigned long>(slot.line * kLine),
                     slot.lock ? "true" : "false",
                     static_cast<unsigned long>(slot.writes),
                     static_cast<unsigned long>(slot.reads),
                     __builtin_popcountll(slot.threads));
        const char* comma = "";
        for (const Place& place : slot.places) {
            Dl_info of{};
            if (place.code == nullptr || dladdr(place.code, &of) == 0) continue;
            const auto offset = reinterpret_cast<std::uintptr_t>(place.code) -
                                reinterpret_cast<std::uintptr_t>(of.dli_fbase);
            std::fprintf(file,
                         "%s[%d,\"%s\",\"%lx\"]",
                         comma,
                         place.thread,
                         place.writes ? "writes" : "reads",
                         static_cast<unsigned long>(offset));
            comma = ",";
        }
        std::fputs("]}\n", file);
    }
    std::fclose(file);
    std::rename(made.c_str(), name);
}

Slot& slot_of(std::uintptr_t line) {
    std::size_t at = (line * 0x9e3779b97f4a7c15U) >> 46U;
    for (std::size_t tries = 0; tries < kSlots; ++tries, at = (at + 1) % kSlots) {
        if (slots[at].line == 0) slots[at].line = line;
        if (slots[at].line == line) return slots[at];
    }
    fail("too many lines in one window");
}

enum class Access { read, write, lock };

void note_lines(std::uintptr_t begin, std::uintptr_t end, Access access, void* place) {
    for (std::uintptr_t line = begin / kLine; line <= (end - 1) / kLine; ++line) {
        Slot& slot = slot_of(line);
        slot.threads |= std::uint64_t{1} << static_cast<unsigned>(thread_number);
        slot.lock = slot.lock || access == Access::lock;
        ++(access == Access::read ? slot.reads : slot.writes);
        const Place by{place, thread_number, access != Access::read};
        for (Place& known : slot.places) {
            if (known.code == nullptr) known = by;
            if (known == by) break;
        }
    }
}

void note(const volatile void* start, std::size_t bytes, Access access, void* place) {
    if (!open.load(std::memory_order_relaxed) || inside || bytes == 0) return;
    inside = true;
    while (busy.test_and_set(std::memory_order_acquire))
        sched_yield();
    if (open) {
        if (thread_number < 0) thread_number = static_cast<int>(next_thread++ % 64);
        const auto begin = reinterpret_cast<std::uintptr_t>(start);
        note_lines(begin, begin + bytes, access, place);
        if (access == Access::lock && ++locks == kWindow) {
            open = false;
            report();
        }
    }
    busy.clear(std::memory_order_release);
    inside = false;
}

void on_signal(int) {
    open = true;
}

template <class Function>
Function next(const char* name) {
    const auto found = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
    if (found == nullptr) fail(name);
    return found;
}

__attribute__((constructor)) void start() {
    struct sigaction how {};

    how.sa_handler = on_signal;
    how.sa_flags = SA_RESTART;
    sigaction(SIGUSR2, &how, nullptr);
}

}  // namespace

#define PLACE __builtin_return_address(0)

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void*) {}

void __tsan_func_exit() {}

#define ACCESS(name, bytes, access)             \
    void __tsan_##name##bytes(void* at) {       \
        note(at, bytes, Access::access, PLACE); \
    }
#define ACCESSES(bytes)                   \
    ACCESS(read, bytes, read)             \
    ACCESS(write, bytes, write)           \
    ACCESS(unaligned_read, bytes, read)   \
    ACCESS(unaligned_write, bytes, write) \
    ACCESS(volatile_read, bytes, read)    \
    ACCESS(volatile_write, bytes, write)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void* at, unsigned long bytes) {
    note(at, bytes, Access::read, PLACE);
}

void __tsan_write_range(void* at, unsigned long bytes) {
    note(at, bytes, Access::write, PLACE);
}

void __tsan_vptr_update(void** at, void*) {
    note(at, sizeof(void*), Access::write, PLACE);
}

void __tsan_vptr_read(void** at) {
    note(at, sizeof(void*), Access::read, PLACE);
}

// An operation that reads and writes takes the line for itself, whether it changes it or not.
#define CHANGE(bits, type, name)                                            \
    type __tsan_atomic##bits##_##name(volatile type* at, type value, int) { \
        note(at, sizeof(type), Access::write, PLACE);                       \
        return __atomic_##name(at, value, __ATOMIC_SEQ_CST);                \
    }
#define EXCHANGE(bits, type, strength, weak)                                \
    int __tsan_atomic##bits##_compare_exchange_##strength(                  \
        volatile type* at, type* expected, type value, int, int) {          \
        note(at, sizeof(type), Access::write, PLACE);                       \
        return __atomic_compare_exchange_n(                                 \
            at, expected, value, weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    }
#define ATOMICS(bits, type)                                                   \
    type __tsan_atomic##bits##_load(const volatile type* at, int) {           \
        note(at, sizeof(type), Access::read, PLACE);                          \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                         \
    }                                                                         \
    void __tsan_atomic##bits##_store(volatile type* at, type value, int) {    \
        note(at, sizeof(type), Access::write, PLACE);                         \
        __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                        \
    }                                                                         \
    type __tsan_atomic##bits##_exchange(volatile type* at, type value, int) { \
        note(at, sizeof(type), Access::write, PLACE);                         \
        return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);              \
    }                                                                         \
    CHANGE(bits, type, fetch_add)                                             \
    CHANGE(bits, type, fetch_sub)                                             \
    CHANGE(bits, type, fetch_and)                                             \
    CHANGE(bits, type, fetch_or)                                              \
    CHANGE(bits, type, fetch_xor)                                             \
    CHANGE(bits, type, fetch_nand)                                            \
    EXCHANGE(bits, type, strong, false)                                       \
    EXCHANGE(bits, type, weak, true)

void __tsan_atomic_thread_fence(int) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int) {
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
ATOMICS(8, std::uint8_t)
ATOMICS(16, std::uint16_t)
ATOMICS(32, std::uint32_t)
ATOMICS(64, std::uint64_t)

#define MUTEX(name)                                                                       \
    int pthread_mutex_##name(pthread_mutex_t* mutex) {                                    \
        static const auto real = next<int (*)(pthread_mutex_t*)>("pthread_mutex_" #name); \
        note(mutex, sizeof(*mutex), Access::lock, PLACE);                                 \
        return real(mutex);                                                               \
    }
MUTEX(lock)
MUTEX(trylock)
MUTEX(unlock)

// ThreadSanitizer has these too, without a version: the program would get the C library's oldest.
#define CONDITION(name, parameters, arguments)                                   \
    int pthread_cond_##name parameters {                                         \
        static const auto real = next<int(*) parameters>("pthread_cond_" #name); \
        return real arguments;                                                   \
    }
CONDITION(init, (pthread_cond_t * at, const pthread_condattr_t* how), (at, how))
CONDITION(destroy, (pthread_cond_t * at), (at))
CONDITION(signal, (pthread_cond_t * at), (at))
CONDITION(broadcast, (pthread_cond_t * at), (at))
CONDITION(wait, (pthread_cond_t * at, pthread_mutex_t* mutex), (at, mutex))
CONDITION(timedwait,
          (pthread_cond_t * at, pthread_mutex_t* mutex, const timespec* until),
          (at, mutex, until))

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t bytes) {
    note(from, bytes, Access::read, PLACE);
    note(to, bytes, Access::write, PLACE);
    for (std::size_t i = 0; i < bytes; ++i)
        static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
    return to;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
    note(from, bytes, Access::read, PLACE);
    note(to, bytes, Access::write, PLACE);
    auto* const out = static_cast<char*>(to);
    const auto* const in = static_cast<const char*>(from);
    if (out < in) {
        for (std::size_t i = 0; i < bytes; ++i)
            out[i] = in[i];
    } else {
        for (std::size_t i = bytes; i > 0; --i)
            out[i - 1] = in[i - 1];
    }
    return to;
}

void* memset(void* to, int value, std::size_t bytes) {
    note(to, bytes, Access::write, PLACE);
    for (std::size_t i = 0; i < bytes; ++i)
        static_cast<char*>(to)[i] = static_cast<char>(value);
    return to;
}

}  // extern "C"
