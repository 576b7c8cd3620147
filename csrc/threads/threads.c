/* threads.c - what an operating system adds to the kernels: a few threads, and the size of the cache.
 * SPDX-License-Identifier: MIT
 *
 * One job is shared out at a time. Threads may join it until its caller finds no part left and closes it; then the
 * caller waits for those inside only, so a thread that wakes up late delays nobody. */
#if defined(__unix__) || defined(__APPLE__) /* elsewhere there is nothing here, and no POSIX threads */
#define _GNU_SOURCE
#include "fastleaky_host.h"
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
    PARTS = 4,         /* for each thread: they do not all run equally fast */
    STACK = 256 << 10, /* bytes; a kernel needs up to 80 kB, and so do the thread-local data of other libraries */
    SPIN = 20000,      /* nanoseconds that an idle thread looks for the next job before it sleeps */
    PATIENCE = 1000,   /* looks at the others before the caller lets them have its processor */
};

static _Atomic int num_threads = 1;
static _Atomic size_t parallel_from = (size_t)1 << 17;
static _Atomic size_t past_from; /* 0: nobody has asked for the size of the cache yet */

void fl_set_num_threads(int threads)
{
    num_threads = threads < 1 ? 1 : threads < MOST_THREADS ? threads : MOST_THREADS;
}
void fl_set_parallel_from(size_t elements) { parallel_from = elements; }
void fl_set_past_from(size_t bytes) { past_from = bytes ? bytes : 1; } /* the same: no call touches less */

/* Written only by the owner, while the gate is closed and nobody is inside. */
static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;
static int workers;
static struct {
    fl_task *task;
    const void *arg;
    size_t n, step;
    _Atomic size_t next;
} job;

/* The gate: is it open, how many more may come in, how many are inside. */
#define OPEN 0x10000u
#define SEAT 0x100u
#define SEATS 0xff00u
#define INSIDE 0xffu
static _Atomic unsigned gate;

/* How many jobs there were; and what those who are asleep wait for. */
static _Atomic unsigned jobs, asleep;
static pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t alarm_clock = PTHREAD_COND_INITIALIZER;

static void relax(void)
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
        for (int i = 0; i < 32; i++, relax())
            if (jobs != seen)
                return;
    while (nanoseconds() - start < SPIN);

    pthread_mutex_lock(&bed);
    asleep++; /* before the look at jobs, as the caller looks at asleep after it has changed jobs */
    while (jobs == seen)
        pthread_cond_wait(&alarm_clock, &bed);
    asleep--;
    pthread_mutex_unlock(&bed);
}

static void *worker(void *first)
{
    for (unsigned seen = (unsigned)(uintptr_t)first;; seen = jobs) {
        wait_for_job(seen);
        unsigned g = gate;
        while ((g & OPEN) && (g & SEATS) && !atomic_compare_exchange_weak(&gate, &g, g - SEAT + 1))
            ;
        if ((g & OPEN) && (g & SEATS)) {
            work();
            gate--;
        }
    }
    return NULL;
}

/* In a forked child the workers do not exist, and whoever held a lock does not either. */
static void forget(void)
{
    workers = 0;
    gate = asleep = 0;
    pthread_mutex_init(&owner, NULL);
    pthread_mutex_init(&bed, NULL);
    pthread_cond_init(&alarm_clock, NULL);
}

static void forget_in_children(void) { pthread_atfork(NULL, NULL, forget); }

/* Have `wanted` workers, or as many as can be started. Signals are for the program's own threads. */
static void start(int wanted)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_attr_t attributes;
    sigset_t all, before;
    if (workers >= wanted || pthread_attr_init(&attributes))
        return;
    pthread_once(&once, forget_in_children);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (pthread_t thread; workers < wanted; workers++)
        if (pthread_create(&thread, &attributes, worker, (void *)(uintptr_t)jobs))
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static int threads_for(size_t elements) { return elements < parallel_from ? 1 : num_threads; }

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
    gate = OPEN | SEAT * (unsigned)(threads - 1);
    jobs++;
    if (asleep) {
        pthread_mutex_lock(&bed);
        pthread_cond_broadcast(&alarm_clock);
        pthread_mutex_unlock(&bed);
    }
    work();
    atomic_fetch_and(&gate, ~OPEN);
    for (int i = 0; gate & INSIDE; i++)
        i < PATIENCE ? relax() : (void)sched_yield();
    pthread_mutex_unlock(&owner);
}

/* The size of the last cache, as Linux tells it. (sysconf's answer has been seen to be eight times too large.) */
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

/* Three quarters of the last cache: with less, what is written is found there again, and plain stores are up to 2 times
 * as fast; with more, plain stores first read what they will overwrite, and stores past the cache are 1.3 to 1.7 times
 * as fast. (Zen 4: for one thread they begin to pay at 0.65 of the cache forward and 0.4 backward, for two at 1 and
 * 0.8.) */
static int past(size_t bytes)
{
    size_t from = past_from;
    if (!from) {
        const size_t cache = last_cache(), found = cache ? cache / 4 * 3 : SIZE_MAX;
        if (atomic_compare_exchange_strong(&past_from, &from, found)) /* else somebody has set it meanwhile */
            from = found;
    }
    return bytes >= from;
}

static const fl_host host = {threads_for, run, past};

/* As many as isas.def has, with the host; filled once. */
static fl_isa hosted[16];

static void fill(void)
{
    for (size_t i = 0; fl_isa_at(i); i++) {
        hosted[i] = *fl_isa_at(i);
        hosted[i].host = &host;
    }
}

const fl_isa *fl_isa_hosted(const fl_isa *isa)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    size_t i = 0;
    while (fl_isa_at(i) && fl_isa_at(i) != isa)
        i++;
    return fl_isa_at(i) ? &hosted[i] : isa;
}
#endif
