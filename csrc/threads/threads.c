/* threads.c - what an operating system adds: a thread pool, and the size of the last-level cache.
 * SPDX-License-Identifier: MIT
 *
 * The pool runs one job at a time. Workers may join it until the caller finds no part left and closes it. Then the
 * caller waits only for the workers inside, so a worker that wakes up late delays nobody. */
#define _GNU_SOURCE
#include "target.h"
#if FL_THREADS /* else there is nothing here */
#include "fastleaky_threads.h"
#include "isa.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    MOST_THREADS = 64,
    PARTS = 4,         /* per thread: threads do not all run equally fast */
    STACK = 256 << 10, /* bytes; a kernel needs up to 80 kB, other libraries' thread-local data as much */
    SPIN_NS = 20000,   /* an idle worker spins so long for the next job before it sleeps */
    SPINS = 1000,      /* the caller spins so often for the workers inside before it yields its processor */
};

static _Atomic int num_threads = 1;
static _Atomic size_t parallel_threshold = (size_t)1 << 17;
static _Atomic size_t nontemporal_threshold; /* bytes; 0: the size of the cache was not read yet */

void fl_set_num_threads(int threads)
{
    num_threads = threads < 1 ? 1 : threads < MOST_THREADS ? threads : MOST_THREADS;
}
void fl_set_parallel_threshold(size_t elements) { parallel_threshold = elements; }
void fl_set_nontemporal_threshold(size_t bytes)
{
    nontemporal_threshold = bytes ? bytes : 1;
} /* 0 and 1 mean the same */

/* Written only by the thread that holds `owner`, while the job is closed and nobody is inside. */
static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;
static int workers;
static struct {
    fl_task *task;
    const void *arg;
    size_t n, step;
    _Atomic size_t next;
} job;

/* The state word: is the job open, how many more workers may join, how many are inside. */
#define OPEN 0x10000u
#define SEAT 0x100u
#define SEATS 0xff00u
#define INSIDE 0xffu
static _Atomic unsigned state;

/* The generation of the job; the number of sleeping workers. */
static _Atomic unsigned generation, sleeping;
static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;

static void cpu_relax(void)
{
#if FL_X86
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void work(void)
{
    size_t begin;
    while ((begin = atomic_fetch_add(&job.next, job.step)) < job.n)
        job.task(job.arg, begin, job.n - begin < job.step ? job.n : begin + job.step);
}

static void wait_for_job(unsigned seen)
{
    const int64_t start = nanoseconds();
    do
        for (int i = 0; i < 32; i++, cpu_relax())
            if (generation != seen)
                return;
    while (nanoseconds() - start < SPIN_NS);

    pthread_mutex_lock(&sleep_mutex);
    sleeping++; /* before generation is read; the caller writes generation before it reads sleeping */
    while (generation == seen)
        pthread_cond_wait(&wake, &sleep_mutex);
    sleeping--;
    pthread_mutex_unlock(&sleep_mutex);
}

static void *worker(void *first)
{
    for (unsigned seen = (unsigned)(uintptr_t)first;; seen = generation) {
        wait_for_job(seen);
        unsigned g = state;
        while ((g & OPEN) && (g & SEATS) && !atomic_compare_exchange_weak(&state, &g, g - SEAT + 1))
            ;
        if ((g & OPEN) && (g & SEATS)) {
            work();
            state--;
        }
    }
    return NULL;
}

#ifdef _WIN32 /* has neither forked children nor signals */
typedef int signals;
static void forget_in_children(void) {}
static void block_signals(signals *before) { (void)before; }
static void unblock_signals(const signals *before) { (void)before; }
#else
typedef sigset_t signals;

/* In a forked child there are no workers, nor the threads that held a lock. */
static void forget(void)
{
    workers = 0;
    state = sleeping = 0;
    pthread_mutex_init(&owner, NULL);
    pthread_mutex_init(&sleep_mutex, NULL);
    pthread_cond_init(&wake, NULL);
}

static void forget_in_children(void) { pthread_atfork(NULL, NULL, forget); }

static void block_signals(signals *before)
{
    signals all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}
static void unblock_signals(const signals *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }
#endif

/* Start workers until there are `wanted`, or as many as the system allows. They block all signals. */
static void start(int wanted)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_attr_t attributes;
    signals before;
    if (workers >= wanted || pthread_attr_init(&attributes))
        return;
    pthread_once(&once, forget_in_children);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    block_signals(&before);
    for (pthread_t thread; workers < wanted; workers++)
        if (pthread_create(&thread, &attributes, worker, (void *)(uintptr_t)generation))
            break;
    unblock_signals(&before);
    pthread_attr_destroy(&attributes);
}

static int threads_for(size_t elements) { return elements < parallel_threshold ? 1 : num_threads; }

static void run(int threads, fl_task *task, const void *arg, size_t n, size_t grain)
{
    if (n <= grain || pthread_mutex_trylock(&owner)) {
        task(arg, 0, n);
        return;
    }
    start(threads - 1);
    job.task = task;
    job.arg = arg;
    job.n = n;
    job.step = (n / grain / (size_t)(PARTS * threads) + 1) * grain;
    job.next = 0;
    state = OPEN | SEAT * (unsigned)(threads - 1);
    generation++;
    if (sleeping) {
        pthread_mutex_lock(&sleep_mutex);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&sleep_mutex);
    }
    work();
    atomic_fetch_and(&state, ~OPEN);
    for (int i = 0; state & INSIDE; i++)
        i < SPINS ? cpu_relax() : (void)sched_yield();
    pthread_mutex_unlock(&owner);
}

/* The size of the last-level cache from Linux's sysfs. (sysconf's answer was eight times too large on one machine.) */
static size_t last_cache(void)
{
    char path[] = "/sys/devices/system/cpu/cpu0/cache/index0/size";
    size_t bytes = 0, kilobytes;
    for (char *const index = strrchr(path, '0'); *index <= '3'; ++*index) {
        FILE *const file = fopen(path, "r");
        if (file) {
            if (fscanf(file, "%zuK", &kilobytes) == 1)
                bytes = kilobytes << 10;
            fclose(file);
        }
    }
    return bytes;
}

/* The threshold is three quarters of the last-level cache. Below it, the output is still in the cache when it is read
 * next, and regular stores are up to 2 times as fast. Above it, a regular store first reads the line that it
 * overwrites, and non-temporal stores are 1.3 to 1.7 times as fast. (Zen 4: they begin to pay at 0.65 of the cache
 * forward and 0.4 backward with one thread, at 1 and 0.8 with two.) */
static int nontemporal(size_t bytes)
{
    size_t threshold = nontemporal_threshold;
    if (!threshold) {
        const size_t cache = last_cache(), found = cache ? cache / 4 * 3 : SIZE_MAX;
        if (atomic_compare_exchange_strong(&nontemporal_threshold, &threshold, found)) /* else it was set meanwhile */
            threshold = found;
    }
    return bytes >= threshold;
}

static const fl_platform platform = {threads_for, run, nontemporal};

/* Copies of the instruction sets with threads; written once. */
static fl_isa threaded[FL_ISAS];

static void init(void)
{
    for (size_t i = 0; fl_isa_at(i); i++) {
        threaded[i] = *fl_isa_at(i);
        threaded[i].platform = &platform;
    }
}

const fl_isa *fl_isa_threaded(const fl_isa *isa)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init);
    size_t i = 0;
    while (fl_isa_at(i) && fl_isa_at(i) != isa)
        i++;
    return fl_isa_at(i) ? &threaded[i] : isa;
}
#endif
