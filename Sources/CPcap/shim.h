#pragma once
#include <pcap/pcap.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Functions with open argument lists are not imported; these are what dropping rights needs. */
static inline int miswire_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

static inline int miswire_drop_bounding_capability(unsigned long number) {
    return prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
}

static inline int miswire_clear_capabilities(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    return (int)syscall(SYS_capset, &head, none);
}

static inline int miswire_clear_ambient_capabilities(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); }

/* The sandbox of imports. glibc has no functions for these calls; their numbers are the same on all processors. */
static inline int miswire_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

static inline int miswire_hide_memory(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

static inline int miswire_memory_is_shown(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

static inline int miswire_name_process(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

static inline int miswire_landlock_version(void) { return (int)syscall(444, NULL, (size_t)0, 1u); }

/* A descriptor. Kernels that know less take the longer structure as long as what they do not know is 0. */
static inline int miswire_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes) {
    uint64_t handled[3] = {files, network, scopes};
    return (int)syscall(444, handled, sizeof handled, 0u);
}

static inline int miswire_landlock_allow(int ruleset, int place, uint64_t rights) {
    struct __attribute__((packed)) {
        uint64_t rights;
        int32_t place;
    } beneath = {rights, place};
    return (int)syscall(445, ruleset, 1, &beneath, 0u);
}

static inline int miswire_landlock_enforce(int ruleset) { return (int)syscall(446, ruleset, 0u); }

/* Whether the kernel knows the answer that the filter gives: SECCOMP_GET_ACTION_AVAIL of SECCOMP_RET_ERRNO. */
static inline int miswire_filter_available(void) {
    uint32_t action = 0x00050000;
    return (int)syscall(SYS_seccomp, 2u, 0u, &action);
}

/* For all threads; the instructions have the form of libpcap's. A number above 0 is a thread that does not take it. */
static inline int miswire_filter_enforce(const struct bpf_insn *instructions, unsigned short count) {
    struct {
        unsigned short count;
        const struct bpf_insn *instructions;
    } program = {count, instructions};
    return (int)syscall(SYS_seccomp, 1u, 1u, &program);
}

extern char **environ;

static inline char **miswire_environment(void) { return environ; }
